package api_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/google/uuid"

	"forge/ent"
	"forge/internal/gqlexec"
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

// TestSubscriptionChecked begins subscriptions that are refused before anything is read.
func TestSubscriptionChecked(t *testing.T) {
	t.Parallel()
	a := newConfiguredAPI(t, dbtest.SQLite(t), config{Options: gqlexec.Options{Development: true,
		Limits: gqlexec.Limits{Depth: 8, Aliases: 2, RootFields: 2, Cost: 5000}}})
	for query, want := range map[string]string{
		`subscription { a: changes { cursor } b: changes { cursor } }`: "GRAPHQL_VALIDATION_FAILED a subscription has exactly one root field; this one has 2",
		`subscription { changes { cursor } teamChanges { cursor } }`:   "GRAPHQL_VALIDATION_FAILED Anonymous Subscription must select only one top level field.",
		`subscription { changes @skip(if: true) { cursor } }`:          "GRAPHQL_VALIDATION_FAILED a subscription has exactly one root field; this one has 0",
		`subscription { __typename }`:                                  "GRAPHQL_VALIDATION_FAILED Anonymous Subscription must not select an introspection top level field.",
		`subscription { live { __schema { types { name } } } }`:        "GRAPHQL_VALIDATION_FAILED __schema is not answered inside of live: ask for it in a query",
		`subscription { live { changeCursor } }`:                       "GRAPHQL_VALIDATION_FAILED changeCursor is not answered inside of live: ask for it in a query",
		`subscription { ...s } fragment s on Subscription { live { ...q } } fragment q on Query { __type(name: "Hero") { name } }`: "GRAPHQL_VALIDATION_FAILED __type is not answered inside of live: ask for it in a query",
		`subscription { live(every: 99) { teams { totalCount } } }`:                                                                "BAD_USER_INPUT every is 99; from 100 to 3600000 milliseconds are allowed",
		`subscription { live(every: 3600001) { teams { totalCount } } }`:                                                           "BAD_USER_INPUT every is 3600001; from 100 to 3600000 milliseconds are allowed",
		`subscription { live { a: teams { totalCount } heroes { totalCount } users { totalCount } } }`:                             "QUERY_TOO_COMPLEX 3 root fields; at most 2 are allowed",
		`subscription { live { teams { nodes { heroes { nodes { team { heroes { nodes { team { id } } } } } } } } } }`:             "QUERY_TOO_DEEP 10 fields stand inside each other; at most 8 are allowed",
		`subscription { live { teams { a: totalCount b: totalCount c: totalCount } } }`:                                            "TOO_MANY_ALIASES 3 aliases; at most 2 are allowed",
		`subscription { live { teams(first: 100) { nodes { heroes(first: 100) { nodes { id } } } } } }`:                            "QUERY_TOO_COMPLEX ",
		`subscription { teamChanges { changes { team { heroes(first: 100) { nodes { id } } } } } }`:                                "QUERY_TOO_COMPLEX ",
		`subscription { changes { changes { node { ... on Team { heroes(first: 100) { nodes { id } } } } } } }`:                    "QUERY_TOO_COMPLEX ",
		`subscription($k: [ChangeKind!]) { teamChanges(kinds: $k, ids: 3.5) { cursor } }`:                                          "GRAPHQL_VALIDATION_FAILED ",
		`subscription { orderItemChanges { cursor } }`:                                                                             "GRAPHQL_VALIDATION_FAILED ",
		`subscription { heroChanges(productIds: ["product_01jz0000000000000000000000"]) { cursor } }`:                              "GRAPHQL_VALIDATION_FAILED ",
	} {
		got := a.Do(query, nil)
		if len(got.Errors) == 0 || !strings.HasPrefix(got.Code()+" "+got.Errors[0].Message, want) || got.Data != nil {
			t.Errorf("%s: got %s, want %s", query, got, want)
		}
	}
}
