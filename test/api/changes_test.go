package api_test

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"entgo.io/ent/dialect"
	"github.com/google/uuid"

	"forge/ent"
	"forge/ent/order"
	"forge/internal/changes"
	"forge/internal/ids"
	"forge/internal/viewer"
	"forge/test/dbtest"
	"forge/test/gqltest"
)

// changesLog returns the log of changes of the API's database.
func (a *api) changesLog() *changes.Log { return changes.New(a.db.DB, a.db.Dialect, ent.Entities) }

// tick makes all changes readable.
func (a *api) tick() {
	a.t.Helper()
	if err := a.changesLog().Tick(a.t.Context()); err != nil {
		a.t.Fatal(err)
	}
}

const changesSince = `query($after: ChangeCursor!, $types: [ChangeType!], $first: Int) { changes(after: $after, types: $types, first: $first) {
	cursor changes { kind id node { __typename id ... on Hero { name team { name } } ... on Product { stock } ... on Order { status items { quantity } } } } } }`

// since returns the changes after a cursor, and the cursor after them.
func since(c *gqltest.Client, v vars) (list []string, cursor string) {
	got := c.Must(changesSince, v)
	for i := range got.Len("changes.changes") {
		at := fmt.Sprintf("changes.changes.%d.", i)
		kind, of := ids.Parse(got.Text(at + "id"))
		if of != nil {
			list = append(list, got.Text(at+"kind"))
			continue
		}
		what := "null"
		if got.At(at+"node") != nil {
			what = cmp.Or(got.Text(at+"node.name"), got.Text(at+"node.status"), got.Text(at+"node.__typename"))
			if got.Text(at+"node.id") != got.Text(at+"id") {
				what = "another"
			}
		}
		list = append(list, got.Text(at+"kind")+" "+kind.Prefix+" "+what)
	}
	return list, got.Text("changes.cursor")
}

// TestChanges asks for what has changed since a cursor that was read with everything.
func TestChanges(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) {
		a := newAPI(t, url)
		created := a.Must(`mutation { createTeam(input: {name: "A"}) { team { id } } createProduct(input: {sku: "s", name: "S", priceCents: 1, stock: 9}) { product { id } } }`, nil)
		team, product := created.Text("createTeam.team.id"), created.Text("createProduct.product.id")
		a.tick()
		start := a.Must(`{ teams { totalCount } changeCursor again: changeCursor __typename viewer { id } }`, nil)
		cursor := start.Text("changeCursor")
		if start.Number("teams.totalCount") != 1 || start.Text("again") != cursor || start.Text("__typename") != "Query" {
			t.Fatalf("beside a cursor, got %s", start)
		}
		if list, next := since(a.Client, vars{"after": cursor}); list != nil || next != cursor {
			t.Errorf("without changes, got %q, and another cursor: %t", list, next != cursor)
		}
		hero := a.Must(`mutation($t: ID!) { createHero(input: {name: "H", teamId: $t}) { hero { id } } }`, vars{"t": team}).Text("createHero.hero.id")
		a.Must(`mutation($p: ID!) { adjustStock(productId: $p, delta: 3) { product { id } } }`, vars{"p": product})
		a.tick()
		want := []string{"CREATED hero H", "UPDATED product Product"}
		list, next := since(a.Client, vars{"after": cursor})
		if !slices.Equal(list, want) {
			t.Errorf("got %q, want %q", list, want)
		}
		for types, want := range map[string][]string{"HERO": want[:1], "PRODUCT": want[1:], "ORDER": nil} {
			if list, end := since(a.Client, vars{"after": cursor, "types": []string{types}}); !slices.Equal(list, want) || end != next {
				t.Errorf("of %s, got %q, want %q; the same cursor: %t", types, list, want, end == next)
			}
		}
		if list, _ := since(a.Client, vars{"after": cursor, "types": []string{}}); list != nil {
			t.Errorf("of no types, got %q", list)
		}
		first, middle := since(a.Client, vars{"after": cursor, "first": 1})
		rest, end := since(a.Client, vars{"after": middle, "first": 1})
		if all := append(first, rest...); !slices.Equal(all, want) {
			t.Errorf("one by one, got %q, want %q", all, want)
		}
		a.Must(`mutation($h: ID!) { deleteHero(id: $h) { deletedId } }`, vars{"h": hero})
		a.tick()
		if list, _ := since(a.Client, vars{"after": end}); !slices.Equal(list, []string{"REMOVED hero null"}) {
			t.Errorf("after a row was removed, got %q", list)
		}
		if list, _ := since(a.Client, vars{"after": cursor}); !slices.Equal(list, []string{"CREATED hero null", want[1], "REMOVED hero null"}) {
			t.Errorf("for who was away, got %q", list)
		}
	})
}

// TestChangesErrors has cursors and arguments that are not valid.
func TestChangesErrors(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) {
		a := newAPI(t, url)
		for i := range 5 {
			a.Must(`mutation($n: String!) { createTeam(input: {name: $n}) { team { id } } }`, vars{"n": fmt.Sprint(i)})
			a.tick()
		}
		cursor := a.Must(`{ changeCursor }`, nil).Text("changeCursor")
		page := a.Must(`{ teams(first: 1) { edges { cursor } } }`, nil).Text("teams.edges.0.cursor")
		for _, v := range []vars{{"after": ""}, {"after": "x"}, {"after": page}, {"after": cursor + "A"}, {"after": cursor, "first": 0}, {"after": cursor, "first": 1001}, {"after": cursor, "first": -1}} {
			if got := a.Do(changesSince, v); got.Code() != "BAD_USER_INPUT" || got.Data != nil {
				t.Errorf("with %v, got %s", v, got)
			}
		}
		a.WantCode("GRAPHQL_VALIDATION_FAILED", `query($c: ChangeCursor!) { changes(after: $c, types: [ORDER_ITEM]) { cursor } }`, vars{"c": cursor})
		for i := range 5 {
			a.Must(`mutation($n: String!) { createTeam(input: {name: $n}) { team { id } } }`, vars{"n": fmt.Sprint(i + 5)})
			a.tick()
		}
		if _, err := a.changesLog().Sweep(t.Context(), time.Hour, 1); err != nil {
			t.Fatal(err)
		}
		expired := a.WantCode("CURSOR_EXPIRED", changesSince, vars{"after": cursor})
		oldest, _ := expired.Extension("oldest").(string)
		since(a.Client, vars{"after": oldest})
		cursor = a.Must(`{ changeCursor }`, nil).Text("changeCursor")
		name := changes.Objects(ent.Entities)(a.db.Dialect)[0].Name
		if a.db.Dialect == dialect.Postgres {
			name += "_ticks"
		}
		if _, err := a.db.ExecContext(t.Context(), "UPDATE "+name+" SET mark = 1 - mark"); err != nil {
			t.Fatal(err)
		}
		a.WantCode("CURSOR_LOST", changesSince, vars{"after": cursor})
	})
}

// TestChangesHidden counts changes of rows that one may not see by the pages that there are, one
// change at a time. Their number does not show.
func TestChangesHidden(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) {
		a := newAPI(t, url)
		a.tick()
		cursor := a.Must(`{ changeCursor }`, nil).Text("changeCursor")
		stranger, want := a.as(viewer.Viewer{}), []string(nil)
		a.stored(func(ctx context.Context, db *ent.Client) {
			for i := range 24 {
				db.Order.Create().SetTotalCents(1).SaveX(ctx)
				if i%8 == 0 {
					db.Team.Create().SetName(fmt.Sprint(i)).SaveX(ctx)
					want = append(want, "CREATED team Team")
				}
			}
		})
		a.tick()
		for types, want := range map[string][]string{"ORDER": nil, "ORDER TEAM": want} {
			var all []string
			pages, at, last := 0, cursor, ""
			for at != last {
				list, next := since(stranger, vars{"after": at, "first": 1, "types": strings.Fields(types)})
				all, pages, at, last = append(all, list...), pages+1, next, at
			}
			if most := len(want) + 2; !slices.Equal(all, want) || pages > most {
				t.Errorf("of %s, got %q in %d pages, want %q in %d at most", types, all, pages, want, most)
			}
		}
	})
}

// TestChangesByPolicy changes random rows, and asks several viewers for them before and after. Each
// hears of a change exactly if they saw the row before or after it.
func TestChangesByPolicy(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) {
		a := newAPI(t, url)
		var owners []*uuid.UUID
		a.stored(func(ctx context.Context, db *ent.Client) {
			for _, name := range []string{"ann", "bob"} {
				owners = append(owners, &db.User.Create().SetUsername(name).SaveX(ctx).ID)
			}
		})
		a.tick()
		owners = append(owners, nil)
		viewers := map[string]viewer.Viewer{"admin": viewer.System, "ann": {ID: *owners[0], Role: viewer.User}, "bob": {ID: *owners[1], Role: viewer.User}, "nobody": {}}
		random := rand.New(rand.NewPCG(1, 2))
		var orders []uuid.UUID
		pick := func() *uuid.UUID { return owners[random.IntN(len(owners))] }
		change := func(ctx context.Context, db *ent.Client) (id uuid.UUID) {
			at := 0
			if len(orders) > 0 {
				at = random.IntN(len(orders))
			}
			switch n := random.IntN(10); {
			case len(orders) == 0 || n < 3:
				orders = append(orders, db.Order.Create().SetNillableUserID(pick()).SetTotalCents(1).SaveX(ctx).ID)
				return orders[len(orders)-1]
			case n < 5:
				db.Order.DeleteOneID(orders[at]).ExecX(ctx)
				id = orders[at]
				orders = slices.Delete(orders, at, at+1)
				return id
			case n < 8:
				update := db.Order.UpdateOneID(orders[at]).AddTotalCents(1)
				if owner := pick(); owner != nil {
					update.SetUserID(*owner)
				} else {
					update.ClearUserID()
				}
				update.ExecX(ctx)
				return orders[at]
			}
			db.Order.Update().Where(order.ID(orders[at])).AddTotalCents(1).ExecX(ctx)
			return orders[at]
		}
		sees := func(name, id string) bool {
			return a.as(viewers[name]).Must(`query($id: ID!) { order(id: $id) { id } }`, vars{"id": id}).At("order") != nil
		}
		for range 40 {
			cursor := a.Must(`{ changeCursor }`, nil).Text("changeCursor")
			before := map[string]map[string]bool{}
			for name := range viewers {
				before[name] = map[string]bool{}
				for _, o := range orders {
					id := ids.ID{Prefix: "order", UUID: o}.String()
					before[name][id] = sees(name, id)
				}
			}
			var changed uuid.UUID
			a.stored(func(ctx context.Context, db *ent.Client) { changed = change(ctx, db) })
			a.tick()
			id := ids.ID{Prefix: "order", UUID: changed}.String()
			for name, v := range viewers {
				after := sees(name, id)
				got := a.as(v).Must(`query($c: ChangeCursor!) { changes(after: $c) { changes { kind id } } full: changes(after: $c) { changes { id node { id } } } }`, vars{"c": cursor})
				heard := got.Len("changes.changes") == 1 && got.Text("changes.changes.0.id") == id
				if want := before[name][id] || after; heard != want || got.Len("changes.changes") > 1 || got.Len("full.changes") != got.Len("changes.changes") {
					t.Fatalf("%s saw the order before: %t, after: %t; got %s", name, before[name][id], after, got)
				}
				if heard && (got.At("full.changes.0.node") != nil) != after {
					t.Fatalf("%s sees the order: %t; got %s", name, after, got)
				}
				if heard && name != "admin" && (got.Text("changes.changes.0.kind") == "REMOVED") == after {
					t.Fatalf("%s sees the order: %t; got %s", name, after, got)
				}
			}
		}
	})
}

// TestChangesCost has prices by the number of changes that are asked for.
func TestChangesCost(t *testing.T) {
	t.Parallel()
	a := newAPI(t, dbtest.SQLite(t))
	cursor := a.Must(`{ changeCursor }`, nil).Text("changeCursor")
	cost := func(first int) float64 {
		return a.Must(changesSince, vars{"after": cursor, "first": first}).Extensions["cost"].(map[string]any)["actual"].(float64)
	}
	if few, many := cost(10), cost(1000); few < 50 || many < 50*few {
		t.Errorf("10 changes cost %v points, and 1,000 %v", few, many)
	}
}
