package api_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/google/uuid"

	"forge/ent"
	"forge/internal/ids"
	"forge/internal/viewer"
	"forge/test/dbtest"
	"forge/test/gqltest"
)

const orderChanges = `subscription($after: ChangeCursor, $ids: [ID!], $users: [ID!], $kinds: [ChangeKind!]) {
	orderChanges(after: $after, ids: $ids, userIds: $users, kinds: $kinds) { cursor changes { kind id order { id totalCents } } } }`

// toldOrders returns what an answer tells of an order.
func toldOrders(got gqltest.Answer, id ids.ID) (list []string) {
	for i := range got.Len("orderChanges.changes") {
		at := fmt.Sprintf("orderChanges.changes.%d.", i)
		text := got.Text(at + "kind")
		if got.At(at+"order") == nil {
			text += " gone"
		}
		if got.Text(at+"id") != id.String() || got.At(at+"order") != nil && got.Text(at+"order.id") != id.String() {
			text += " another"
		}
		list = append(list, text)
	}
	return list
}

// TestSubscriptionOfOrders changes an order, and asks several viewers what they are told of it: at
// once, and when all is over. The changes come from memory, and from the log on another server.
func TestSubscriptionOfOrders(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) {
		a := newStreams(t, url)
		var ann, bob, order, product uuid.UUID
		a.stored(func(ctx context.Context, db *ent.Client) {
			ann, bob = db.User.Create().SetUsername("ann").SaveX(ctx).ID, db.User.Create().SetUsername("bob").SaveX(ctx).ID
			product = db.Product.Create().SetSku("s").SetName("S").SetPriceCents(1).SaveX(ctx).ID
		})
		user := func(of uuid.UUID) string { return ids.ID{Prefix: "user", UUID: of}.String() }
		asAnn, asBob := viewer.Viewer{ID: ann, Role: viewer.User}, viewer.Viewer{ID: bob, Role: viewer.User}
		followers := []struct {
			name   string
			viewer viewer.Viewer
			with   vars
			// once are the kinds that are told at once: of a new order of ann, of a new item of it, of
			// the order that becomes bob's, of the item's removal, and of its own. later are all of
			// them when it is gone.
			once  [5]string
			later string
		}{
			{"an administrator", viewer.System, vars{}, [5]string{"CREATED", "UPDATED", "UPDATED", "UPDATED", "REMOVED gone"}, "CREATED gone, UPDATED gone, UPDATED gone, UPDATED gone, REMOVED gone"},
			{"ann", asAnn, vars{}, [5]string{"CREATED", "UPDATED", "REMOVED gone", "", ""}, "REMOVED gone, REMOVED gone"},
			{"bob", asBob, vars{}, [5]string{"", "", "UPDATED", "UPDATED", "REMOVED gone"}, "REMOVED gone, REMOVED gone"},
			{"ann, of removals", asAnn, vars{"kinds": []string{"REMOVED"}}, [5]string{"", "", "REMOVED gone", "", ""}, "REMOVED gone, REMOVED gone"},
			{"bob, of creations", asBob, vars{"kinds": []string{"CREATED"}}, [5]string{}, ""},
			{"an administrator, of ann", viewer.System, vars{"users": []string{user(ann)}}, [5]string{"CREATED", "UPDATED", "UPDATED", "", ""}, "CREATED gone, UPDATED gone"},
			{"an administrator, of bob", viewer.System, vars{"users": []string{user(bob)}}, [5]string{"", "", "UPDATED", "UPDATED", "REMOVED gone"}, "UPDATED gone, REMOVED gone"},
			{"an administrator, of another", viewer.System, vars{"ids": []string{ids.ID{Prefix: "order", UUID: product}.String()}}, [5]string{}, ""},
			{"bob, of ann", asBob, vars{"users": []string{user(ann)}}, [5]string{"", "", "UPDATED", "", ""}, "REMOVED gone"},
		}
		cursor := func() string {
			a.tick()
			return a.Must(`{ changeCursor }`, nil).Text("changeCursor")
		}
		start := cursor()
		sees := a.subscribe(viewer.System, orderChanges, vars{}, "")
		sees.must()
		for step, change := range []func(context.Context, *ent.Client){
			func(ctx context.Context, db *ent.Client) {
				order = db.Order.Create().SetUserID(ann).SetTotalCents(1).SaveX(ctx).ID
			},
			func(ctx context.Context, db *ent.Client) {
				db.OrderItem.Create().SetOrderID(order).SetProductID(product).SetQuantity(1).SetUnitPriceCents(1).SaveX(ctx)
			},
			func(ctx context.Context, db *ent.Client) { db.Order.UpdateOneID(order).SetUserID(bob).ExecX(ctx) },
			func(ctx context.Context, db *ent.Client) { db.OrderItem.Delete().ExecX(ctx) },
			func(ctx context.Context, db *ent.Client) { db.Order.DeleteOneID(order).ExecX(ctx) },
		} {
			before := cursor()
			a.stored(change)
			sees.must() // from now on the server has the change in memory
			for _, f := range followers {
				f.with["after"] = before
				got := toldOrders(a.subscribe(f.viewer, orderChanges, f.with, "").must(), ids.ID{Prefix: "order", UUID: order})
				if strings.Join(got, ", ") != f.once[step] {
					t.Errorf("step %d: %s is told %q, want %q", step, f.name, got, f.once[step])
				}
			}
		}
		other := newStreams(t, url)
		other.subscribe(viewer.System, orderChanges, nil, "").must() // it has all later changes in memory
		for _, f := range followers {
			f.with["after"] = start
			got := toldOrders(other.subscribe(f.viewer, orderChanges, f.with, "").must(), ids.ID{Prefix: "order", UUID: order})
			if strings.Join(got, ", ") != f.later {
				t.Errorf("later, %s is told %q, want %q", f.name, got, f.later)
			}
		}
		if got, err := a.subscribe(viewer.Viewer{}, orderChanges, vars{"after": start}, "").next(); err != nil || got.Code() != "UNAUTHENTICATED" {
			t.Errorf("nobody is told %s, %v", got, err)
		}
	})
}
