package rules

import (
	"encoding/json"
	"os"
	"reflect"
	"regexp"
	"testing"

	"forge/internal/viewer"
)

// TestRecipe sends the query of the recipe for tenants, as a viewer of one of two.
func TestRecipe(t *testing.T) {
	page, err := os.ReadFile("../../docs/recipes/tenants.md")
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile("(?s)```graphql rules\n(.*?)```.*```json rules\n(.*?)```").FindStringSubmatch(string(page))
	if found == nil {
		t.Fatal("the page has no query of a tenant")
	}
	var want any
	if err := json.Unmarshal([]byte(found[2]), &want); err != nil {
		t.Fatal(err)
	}
	each(t, func(w *world) {
		var acme string
		for i, name := range []string{"bolt", "acme"} {
			org := w.ent.Org.Create().SetName(name).SaveX(w.system)
			customer := w.ent.Customer.Create().SetName("Smith").SetOrgID(org.ID).SaveX(w.system)
			for n := range int32(3 - i) {
				w.ent.Invoice.Create().SetNumber(n).SetCustomerID(customer.ID).SetOrgID(org.ID).SaveX(w.system)
			}
			acme = org.ID.String()
		}
		var got any
		w.into(viewer.Viewer{ID: stranger.ID, Role: viewer.User, Tenant: acme}, found[1], &got)
		if !reflect.DeepEqual(got, want) {
			w.Errorf("the answer is %v, and the page shows %v", got, want)
		}
	})
}
