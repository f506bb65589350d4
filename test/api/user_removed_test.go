package api_test

import (
	"context"
	"testing"
	"time"

	"forge/ent"
	"forge/internal/viewer"
)

// TestUserRemovedByHand uses a token of a user whose row was removed without the API. It reads what
// docs/security.md says, and no more.
func TestUserRemovedByHand(t *testing.T) {
	eachDoor(t, func(t *testing.T, d *api) {
		signedUp := d.signUp("ada")
		id := signedUp.Text("m.user.id")
		ada := d.issuer.viewer(signedUp.Text("m.accessToken"))
		d.signUp("eve")
		product := d.rule(`mutation { createProduct(input: {sku: "S", name: "N", priceCents: 1, stock: 10}) { product { id } } }`, nil).Text("createProduct.product.id")
		order := d.as(ada).Do(`mutation { createOrder(input: {userId: "`+id+`", items: [{productId: "`+product+`", quantity: 1}]}) { order { id } } }`, nil)
		hero := d.as(ada).Do(`mutation { createHero(input: {name: "H"}) { hero { id } } }`, nil)
		if order.Text("createOrder.order.id") == "" || hero.Text("createHero.hero.id") == "" {
			t.Fatal(order, hero)
		}
		for _, statement := range []string{`DELETE FROM sessions`, `DELETE FROM users WHERE username = 'ada'`} {
			if _, err := d.db.ExecContext(t.Context(), statement); err != nil {
				t.Fatal(err)
			}
		}
		for _, query := range []string{
			`{ viewer { id } }`,
			`{ user(id: "` + id + `") { id } node(id: "` + order.Text("createOrder.order.id") + `") { id } }`,
			`{ users { totalCount nodes { username email role orders { totalCount } } } }`,
			`{ orders { totalCount nodes { id } } users(where: {hasOrders: true}) { totalCount } }`,
			`{ heroes { nodes { id owner { id } } } }`,
		} {
			with := d.as(ada).Do(query, nil)
			without := d.Do(query, nil)
			if encoded(with.Data) != encoded(without.Data) || len(with.Errors) != len(without.Errors) {
				t.Errorf("%s: %s, and without a token %s", query, with, without)
			}
		}
		for role, v := range map[string]viewer.Viewer{"user": ada, "administrator": {ID: ada.ID, Role: viewer.Admin, Issued: ada.Issued}} {
			for _, mutation := range []string{
				`mutation { createHero(input: {name: "H"}) { hero { id } } }`,
				`mutation { deleteHero(id: "` + hero.Text("createHero.hero.id") + `") { deletedId } }`,
				`mutation { restoreUser(id: "` + id + `") { user { id } } }`,
				`mutation { createUser(input: {username: "x", password: "correct horse"}) { user { id } } }`,
			} {
				made := d.passwords.Made()
				if got := d.as(v).Do(mutation, nil); got.Code() != "UNAUTHENTICATED" || d.passwords.Made() != made {
					t.Errorf("%s as %s: %s, want UNAUTHENTICATED and no hash", mutation, role, got)
				}
			}
		}
	})
}

// TestUserOfProviderDeleted uses tokens of a provider for users who were deleted or deactivated on
// this server. They read their own data, as docs/security.md says, and change nothing.
func TestUserOfProviderDeleted(t *testing.T) {
	eachDoor(t, func(t *testing.T, d *api) {
		for name, end := range map[string]string{"ada": `mutation($id: ID!) { deleteUser(id: $id) { deletedId } }`, "eve": `mutation($id: ID!) { updateUser(id: $id, input: {isActive: false}) { user { id } } }`} {
			signedUp := d.signUp(name)
			id := signedUp.Text("m.user.id")
			d.stored(func(ctx context.Context, c *ent.Client) {
				c.Order.Create().SetUserID(d.issuer.viewer(signedUp.Text("m.accessToken")).ID).SetTotalCents(1).ExecX(ctx)
			})
			if got := d.rule(end, vars{"id": id}); len(got.Errors) > 0 {
				t.Fatal(got)
			}
			later := d.issuer.viewer(signedUp.Text("m.accessToken"))
			later.Issued = time.Now().UTC().Truncate(time.Microsecond)
			got := d.as(later).Do(`{ orders { totalCount } }`, nil)
			if got.Number("orders.totalCount") != 1 {
				t.Errorf("%s reads %s, want their order alone", name, got)
			}
			for _, mutation := range []string{
				`mutation { createHero(input: {name: "H"}) { hero { id } } }`,
				`mutation { updateUser(id: "` + id + `", input: {email: "x@example.com"}) { user { id } } }`,
			} {
				if got := d.as(later).Do(mutation, nil); got.Code() != "UNAUTHENTICATED" {
					t.Errorf("%s: %s, want UNAUTHENTICATED", mutation, got)
				}
			}
		}
	})
}
