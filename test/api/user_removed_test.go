package api_test

import (
	"context"
	"testing"
	"time"

	"forge/ent"
	"forge/internal/viewer"
)

// TestUserRemovedByHand has a token whose user is no row any more, and was not deleted by the API.
// What it reads is what docs/security.md says, and no more.
func TestUserRemovedByHand(t *testing.T) {
	eachDoor(t, func(t *testing.T, d *sessionAPI) {
		signedUp := d.signUp("ada")
		id := signedUp.text("m.user.id")
		ada := d.issuer.viewer(signedUp.text("m.accessToken"))
		d.signUp("eve")
		product := d.rule(`mutation { createProduct(input: {sku: "S", name: "N", priceCents: 1, stock: 10}) { product { id } } }`, nil).text("createProduct.product.id")
		order, _ := d.by(asking{viewer: ada}, `mutation { createOrder(input: {userId: "`+id+`", items: [{productId: "`+product+`", quantity: 1}]}) { order { id } } }`, nil)
		hero, _ := d.by(asking{viewer: ada}, `mutation { createHero(input: {name: "H"}) { hero { id } } }`, nil)
		if order.text("createOrder.order.id") == "" || hero.text("createHero.hero.id") == "" {
			t.Fatal(order, hero)
		}
		for _, statement := range []string{`DELETE FROM sessions`, `DELETE FROM users WHERE username = 'ada'`} {
			if _, err := d.db.ExecContext(t.Context(), statement); err != nil {
				t.Fatal(err)
			}
		}
		for _, query := range []string{
			`{ viewer { id } }`,
			`{ user(id: "` + id + `") { id } node(id: "` + order.text("createOrder.order.id") + `") { id } }`,
			`{ users { totalCount nodes { username email role orders { totalCount } } } }`,
			`{ orders { totalCount nodes { id } } users(where: {hasOrders: true}) { totalCount } }`,
			`{ heroes { nodes { id owner { id } } } }`,
		} {
			with, _ := d.by(asking{viewer: ada}, query, nil)
			without, _ := d.by(asking{}, query, nil)
			if encoded(with.Data) != encoded(without.Data) || len(with.Errors) != len(without.Errors) {
				t.Errorf("%s: %s, and without a token %s", query, with, without)
			}
		}
		for role, v := range map[string]viewer.Viewer{"user": ada, "administrator": {ID: ada.ID, Role: viewer.Admin, Issued: ada.Issued}} {
			for _, mutation := range []string{
				`mutation { createHero(input: {name: "H"}) { hero { id } } }`,
				`mutation { deleteHero(id: "` + hero.text("createHero.hero.id") + `") { deletedId } }`,
				`mutation { restoreUser(id: "` + id + `") { user { id } } }`,
				`mutation { createUser(input: {username: "x", password: "correct horse"}) { user { id } } }`,
			} {
				made := d.passwords.Made()
				if got, _ := d.by(asking{viewer: v}, mutation, nil); got.code() != "UNAUTHENTICATED" || d.passwords.Made() != made {
					t.Errorf("%s as %s: %s, want UNAUTHENTICATED and no hash", mutation, role, got)
				}
			}
		}
	})
}

// TestUserOfProviderDeleted has a provider make tokens for users who were deleted or deactivated
// here: they read what is theirs, as docs/security.md says, and change nothing.
func TestUserOfProviderDeleted(t *testing.T) {
	eachDoor(t, func(t *testing.T, d *sessionAPI) {
		for name, end := range map[string]string{"ada": `mutation($id: ID!) { deleteUser(id: $id) { deletedId } }`, "eve": `mutation($id: ID!) { updateUser(id: $id, input: {isActive: false}) { user { id } } }`} {
			signedUp := d.signUp(name)
			id := signedUp.text("m.user.id")
			d.stored(func(ctx context.Context, c *ent.Client) {
				c.Order.Create().SetUserID(d.issuer.viewer(signedUp.text("m.accessToken")).ID).SetTotalCents(1).ExecX(ctx)
			})
			if got := d.rule(end, vars{"id": id}); len(got.Errors) > 0 {
				t.Fatal(got)
			}
			later := d.issuer.viewer(signedUp.text("m.accessToken"))
			later.Issued = time.Now().UTC().Truncate(time.Microsecond)
			got, _ := d.by(asking{viewer: later}, `{ orders { totalCount } }`, nil)
			if got.number("orders.totalCount") != 1 {
				t.Errorf("%s reads %s, want their order alone", name, got)
			}
			for _, mutation := range []string{
				`mutation { createHero(input: {name: "H"}) { hero { id } } }`,
				`mutation { updateUser(id: "` + id + `", input: {email: "x@example.com"}) { user { id } } }`,
			} {
				if got, _ := d.by(asking{viewer: later}, mutation, nil); got.code() != "UNAUTHENTICATED" {
					t.Errorf("%s: %s, want UNAUTHENTICATED", mutation, got)
				}
			}
		}
	})
}
