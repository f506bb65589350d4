package api_test

import (
	"context"
	"testing"

	"github.com/99designs/gqlgen/graphql"

	"forge/ent"
	"forge/ent/user"
	"forge/internal/unit"
	"forge/test/dbtest"
)

// TestAutocommitOneStatement looks from another connection at what a running mutation has stored.
// The change is visible only if the mutation is a single statement.
func TestAutocommitOneStatement(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) {
		a := newAPI(t, url)
		id := a.buyer()
		renamed := func() bool {
			u := unit.New(a.db, unit.Single)
			defer u.Rollback()
			return ent.UnitClient(u).User.Query().Where(user.Username("eve")).ExistX(t.Context())
		}
		early := false
		a.around(func(ctx context.Context, next graphql.Resolver) (any, error) {
			value, err := next(ctx)
			if graphql.GetFieldContext(ctx).Field.Name == "updateUser" {
				early = renamed()
			}
			return value, err
		})
		for _, tt := range []struct {
			query      string
			autocommit bool
		}{
			{`mutation($id: ID!) { updateUser(id: $id, input: {username: "eve"}) { user { id username email version } } }`, true},
			{`mutation($id: ID!) { updateUser(id: $id, input: {username: "eve"}) { __typename } }`, true},
			{`mutation($id: ID!) { updateUser(id: $id, input: {username: "eve", email: "eve@example.com"}) { user { email } } }`, true},
			{`mutation($id: ID!) { updateUser(id: $id, input: {username: "eve"}) { user { ...all } } } fragment all on User { ... on Node { id } createdAt }`, true},
			{`mutation($id: ID!) { updateUser(id: $id, input: {username: "eve"}) { user { heroes { totalCount } } } }`, false},
			{`mutation($id: ID!) { updateUser(id: $id, input: {username: "eve"}) { a: user { id } b: user { username } } }`, false},
			{`mutation($id: ID!) { updateUser(id: $id, input: {username: "eve"}) { user { id } } createTeam(input: {name: "x"}) { __typename } }`, false},
			{`mutation($id: ID!) { deleteUser(id: $id) { deletedId } createTeam(input: {name: "x"}) { __typename } }`, false},
		} {
			early = false
			got := a.Do(tt.query, vars{"id": id})
			// Through PgBouncer a single statement has a transaction as well: only there can it be
			// bounded.
			if want := tt.autocommit && !a.db.Options.PgBouncer; len(got.Errors) > 0 || early != want {
				t.Errorf("%s: others see it early: %t, want %t; %s", tt.query, early, want, got)
			}
			a.stored(func(ctx context.Context, c *ent.Client) {
				c.User.Update().SetUsername("buyer").ExecX(ctx)
				c.Team.Delete().ExecX(ctx)
			})
		}
	})
}

// TestAutocommitReturnedRow compares a payload, made from the row that the mutation's statement
// returned, with the row as it is read afterwards.
func TestAutocommitReturnedRow(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) {
		a := newAPI(t, url)
		m := a.make()
		for _, tt := range []struct{ mutation, field, selection string }{
			{`createUser(input: {username: "nobby", email: "N@example.com"})`, "user", `id username email role isActive version createdAt updatedAt heroes { totalCount }`},
			{`updateUser(id: "` + m.user + `", input: {email: null})`, "user", `id username email version updatedAt heroes { nodes { name owner { username } } }`},
			{`restoreUser(id: "` + m.user + `")`, "user", `id username version`},
			{`createTeam(input: {name: "Lancre"})`, "team", `id name headquarters version createdAt updatedAt heroes { totalCount }`},
			{`updateTeam(id: "` + m.team + `", input: {headquarters: "Hall"})`, "team", `id headquarters updatedAt heroes { nodes { id } }`},
			{`createHero(input: {name: "Fred", age: 3, teamId: "` + m.team + `"})`, "hero", `id name age version team { name } owner { id }`},
			{`updateHero(id: "` + m.hero + `", input: {age: null, teamId: null})`, "hero", `id name age team { name } owner { id }`},
			{`updateProduct(id: "` + m.product + `", input: {name: "Pie of the day"})`, "product", `id sku name priceCents stock version`},
			{`createOrder(input: {userId: "` + m.user + `", items: [{productId: "` + m.product + `", quantity: 1}]})`, "order",
				`id status totalCents version createdAt updatedAt user { username } items { quantity product { stock } }`},
		} {
			if tt.mutation[:7] == "restore" {
				a.Must(`mutation { deleteUser(id: "`+m.user+`") { deletedId } }`, nil)
			}
			got := a.Must(`mutation { m: `+tt.mutation+` { e: `+tt.field+` { `+tt.selection+` } } }`, nil)
			want := a.Must(`query($id: ID!) { e: `+tt.field+`(id: $id) { `+tt.selection+` } }`, vars{"id": got.Text("m.e.id")})
			if got.RawData() != `{"m":`+want.RawData()+`}` {
				t.Errorf("%s answers\n%s\nand afterwards there is\n%s", tt.mutation, got.RawData(), want.RawData())
			}
		}
	})
}
