package api_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"forge/ent"
	"forge/graph/generated"
	"forge/internal/collation"
	"forge/test/gqltest"
)

// line holds the parts of a row that decide its place in a list.
type line struct {
	key   uuid.UUID
	id    string
	by    map[string]any // by the name in orderBy: nil, int32, string or time.Time
	match map[string]bool
}

// ordering is an orderBy argument.
type ordering []struct {
	Field     string `json:"field"`
	Direction string `json:"direction,omitempty"`
	Collation string `json:"collation,omitempty"`
}

// compare returns which line comes first. NULLs come last in both directions. The key breaks ties,
// in the direction of the last term. If a field is named twice, only the first time counts.
func (o ordering) compare(a, b line) int {
	desc := false
	for i, term := range o {
		if o[:i].has(term.Field) {
			continue
		}
		desc = term.Direction == "DESC"
		x, y := a.by[term.Field], b.by[term.Field]
		switch {
		case x == nil && y == nil:
			continue
		case x == nil:
			return 1
		case y == nil:
			return -1
		}
		compare := compareValues
		if term.Collation != "" {
			compare = func(x, y any) int { return collation.Comparer(term.Collation)(x.(string), y.(string)) }
		}
		if c := directed(compare(x, y), desc); c != 0 {
			return c
		}
	}
	return directed(bytes.Compare(a.key[:], b.key[:]), desc)
}

func (o ordering) has(field string) bool {
	for _, term := range o {
		if term.Field == field {
			return true
		}
	}
	return false
}

func directed(c int, desc bool) int {
	if desc {
		return -c
	}
	return c
}

func compareValues(x, y any) int {
	switch x := x.(type) {
	case int32:
		return cmp.Compare(x, y.(int32))
	case int:
		return cmp.Compare(x, y.(int))
	case string:
		return cmp.Compare(x, y.(string)) // UTF-8 sorts as code points do
	case time.Time:
		return x.Compare(y.(time.Time))
	}
	panic(fmt.Sprintf("no order for %T", x))
}

// cut says which part of a list a page is. after and before are nil without a cursor.
type cut struct {
	first, last, offset *int
	after, before       *line
	where               string
	order               ordering
}

type pageWanted struct {
	lines          []line
	total          int
	next, previous bool
}

// of returns the page by the rules of the Relay specification, section "Pagination algorithm".
// offset skips lines from where the page starts. The page has neighbours where lines were skipped.
func (c cut) of(all []line) (p pageWanted) {
	edges := []line{}
	for _, l := range all {
		if c.where != "" && !l.match[c.where] {
			continue
		}
		p.total++
		if (c.after == nil || c.order.compare(l, *c.after) > 0) && (c.before == nil || c.order.compare(l, *c.before) < 0) {
			edges = append(edges, l)
		}
	}
	slices.SortFunc(edges, c.order.compare)
	skip := 0
	if c.offset != nil {
		skip = *c.offset
	}
	switch skipped := min(skip, len(edges)); {
	case c.first == nil && c.last != nil:
		edges = edges[:len(edges)-skipped]
		p.next = c.before != nil || skipped > 0
		p.previous = len(edges) > *c.last
	default:
		edges = edges[skipped:]
		p.previous = skipped > 0
		if c.last != nil {
			p.previous = p.previous || len(edges) > *c.last
		} else {
			p.previous = p.previous || c.after != nil
		}
		if c.first != nil {
			p.next = len(edges) > *c.first
		} else {
			p.next = len(edges) > 20 || c.before != nil
		}
	}
	first := c.first
	if first == nil && c.last == nil {
		first = new(20)
	}
	if first != nil {
		edges = edges[:min(len(edges), *first)]
	}
	if c.last != nil {
		edges = edges[max(0, len(edges)-*c.last):]
	}
	p.lines = edges
	return p
}

func (c cut) String() string {
	b, _ := json.Marshal(c.vars(func(l line) string { return "cursor of " + l.id }))
	return string(b)
}

func (c cut) vars(cursor func(line) string) vars {
	v := vars{}
	for name, value := range map[string]*int{"first": c.first, "last": c.last, "offset": c.offset} {
		if value != nil {
			v[name] = *value
		}
	}
	if c.after != nil {
		v["after"] = cursor(*c.after)
	}
	if c.before != nil {
		v["before"] = cursor(*c.before)
	}
	if c.where != "" {
		v["where"] = json.RawMessage(c.where)
	}
	if c.order != nil {
		v["orderBy"] = c.order
	}
	return v
}

// collection is a connection of the schema, with the rows that it must hold.
type collection struct {
	entity string
	field  string            // of Query, or Parent.field
	lists  map[string][]line // by the ID of the row that the list belongs to; "" for a root field
}

// collections returns all connections of the schema, with their rows in w.
func collections(w *world) []collection {
	heroWhere := map[string]func(any) bool{
		`{"ageGTE":7}`:           func(r any) bool { h := r.(*ent.Hero); return h.Age != nil && *h.Age >= 7 },
		`{"ageIsNil":true}`:      func(r any) bool { return r.(*ent.Hero).Age == nil },
		`{"nameHasPrefix":"ad"}`: func(r any) bool { return strings.HasPrefix(r.(*ent.Hero).Name, "ad") },
	}
	orderWhere := map[string]func(any) bool{
		`{"status":"PAID"}`:       func(r any) bool { return r.(*ent.Order).Status == "PAID" },
		`{"totalCentsGT":100}`:    func(r any) bool { return r.(*ent.Order).TotalCents > 100 },
		`{"totalCentsGT":100000}`: func(any) bool { return false },
	}
	heroes, orders := map[string][]line{}, map[string][]line{}
	perTeam := map[string][]line{}
	var users, teams, products []line
	for _, u := range w.users {
		if u.DeletedAt == nil {
			l := newLine("user", u.ID, map[string]any{"USERNAME": u.Username, "CREATED_AT": u.CreatedAt, "UPDATED_AT": u.CreatedAt,
				"HEROES_COUNT": count(w.heroes, func(h *ent.Hero) bool { return h.OwnerID != nil && *h.OwnerID == u.ID }),
				"ORDERS_COUNT": count(w.orders, func(o *ent.Order) bool { return o.UserID != nil && *o.UserID == u.ID })})
			l.match = map[string]bool{`{"usernameHasPrefix":"ada"}`: strings.HasPrefix(u.Username, "ada")}
			users = append(users, l)
			heroes[l.id], orders[l.id] = nil, nil
		}
	}
	for _, m := range w.teams {
		l := newLine("team", m.ID, map[string]any{"NAME": m.Name, "CREATED_AT": m.CreatedAt, "UPDATED_AT": m.CreatedAt,
			"HEROES_COUNT": count(w.heroes, func(h *ent.Hero) bool { return h.TeamID != nil && *h.TeamID == m.ID })})
		l.match = map[string]bool{`{"nameGT":"b"}`: m.Name > "b"}
		teams = append(teams, l)
		perTeam[l.id] = nil
	}
	for i, p := range w.products {
		l := newLine("product", p.ID, map[string]any{"STOCK": w.stock[i].Quantity,
			"SKU": p.Sku, "NAME": p.Name, "PRICE_CENTS": p.PriceCents, "CREATED_AT": p.CreatedAt, "UPDATED_AT": p.CreatedAt})
		l.match = map[string]bool{`{"priceCentsIn":[0,500]}`: p.PriceCents == 0 || p.PriceCents == 500}
		products = append(products, l)
	}
	for _, h := range w.heroes {
		l := heroLine(w, h)
		for where, holds := range heroWhere {
			l.match[where] = holds(h)
		}
		heroes[""] = append(heroes[""], l)
		if h.OwnerID != nil {
			heroes[idOf("user", *h.OwnerID)] = append(heroes[idOf("user", *h.OwnerID)], l)
		}
		if h.TeamID != nil {
			perTeam[idOf("team", *h.TeamID)] = append(perTeam[idOf("team", *h.TeamID)], l)
		}
	}
	for _, o := range w.orders {
		l := newLine("order", o.ID, map[string]any{"TOTAL_CENTS": o.TotalCents, "CREATED_AT": o.CreatedAt, "UPDATED_AT": o.CreatedAt, "USER_USERNAME": w.username(o.UserID),
			"ITEMS_COUNT": count(w.items, func(item *ent.OrderItem) bool { return item.OrderID == o.ID })})
		for where, holds := range orderWhere {
			l.match[where] = holds(o)
		}
		orders[""] = append(orders[""], l)
		if o.UserID != nil {
			orders[idOf("user", *o.UserID)] = append(orders[idOf("user", *o.UserID)], l)
		}
	}
	root := func(lines []line) map[string][]line { return map[string][]line{"": lines} }
	return []collection{
		{entity: "User", field: "users", lists: root(users)},
		{entity: "Team", field: "teams", lists: root(teams)},
		{entity: "Hero", field: "heroes", lists: root(heroes[""])},
		{entity: "Product", field: "products", lists: root(products)},
		{entity: "Order", field: "orders", lists: root(orders[""])},
		{entity: "Hero", field: "User.heroes", lists: heroes},
		{entity: "Order", field: "User.orders", lists: orders},
		{entity: "Hero", field: "Team.heroes", lists: perTeam},
	}
}

func newLine(prefix string, key uuid.UUID, by map[string]any) line {
	return line{key: key, id: idOf(prefix, key), by: by, match: map[string]bool{}}
}

// count returns for how many rows the condition holds.
func count[T any](rows []T, holds func(T) bool) (n int) {
	for _, row := range rows {
		if holds(row) {
			n++
		}
	}
	return n
}

// username returns the name of the user with the key, or nil if there is none, or it was deleted.
func (w *world) username(key *uuid.UUID) any {
	for _, u := range w.users {
		if key != nil && u.ID == *key && u.DeletedAt == nil {
			return u.Username
		}
	}
	return nil
}

func heroLine(w *world, h *ent.Hero) line {
	by := map[string]any{"NAME": h.Name, "AGE": nil, "CREATED_AT": h.CreatedAt, "UPDATED_AT": h.CreatedAt, "TEAM_NAME": nil, "OWNER_USERNAME": w.username(h.OwnerID)}
	for _, m := range w.teams {
		if h.TeamID != nil && *h.TeamID == m.ID {
			by["TEAM_NAME"] = m.Name
		}
	}
	if h.Age != nil {
		by["AGE"] = *h.Age
	}
	return newLine("hero", h.ID, by)
}

// orderings returns every order by one field, and some by several.
func orderings(t *testing.T, c collection) []ordering {
	t.Helper()
	orders := []ordering{nil, {}}
	var single []ordering
	for _, value := range generated.NewExecutableSchema(generated.Config{}).Schema().Types[c.entity+"OrderField"].EnumValues {
		if value.Name == "RELEVANCE" {
			continue // only for a search; see TestSearchByRelevance
		}
		for _, lines := range c.lists {
			if len(lines) > 0 {
				if _, ok := lines[0].by[value.Name]; !ok {
					t.Fatalf("%s can be ordered by %s, which the model does not know", c.entity, value.Name)
				}
			}
		}
		for _, direction := range []string{"", "ASC", "DESC"} {
			single = append(single, ordering{{value.Name, direction, ""}})
		}
		if strings.HasSuffix(value.Name, "NAME") {
			single = append(single, ordering{{value.Name, "ASC", "de"}}, ordering{{value.Name, "DESC", "sv"}})
		}
	}
	orders = append(orders, single...)
	for i := range single {
		for _, step := range []int{4, 5, 7} {
			orders = append(orders, slices.Concat(single[i], single[(i+step)%len(single)]))
		}
	}
	return append(orders, slices.Concat(single[1], single[len(single)-1], single[0], single[2]))
}

// query returns an operation for pages of the collection, with all arguments as variables. For a
// nested collection, it asks for the page of each parent row.
func (c collection) query() string {
	declared := fmt.Sprintf(`query($first: Int, $after: Cursor, $last: Int, $before: Cursor, $offset: Int, $where: %[1]sWhereInput, $orderBy: [%[1]sOrder!])`, c.entity)
	page := `(first: $first, after: $after, last: $last, before: $before, offset: $offset, where: $where, orderBy: $orderBy) {
		totalCount edges { cursor node { id } } nodes { id } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } }`
	parent, field, nested := strings.Cut(c.field, ".")
	if !nested {
		return declared + `{ list: ` + c.field + page + ` }`
	}
	return declared + fmt.Sprintf(`{ of: %ss(first: 100) { nodes { id list: %s%s } } }`, strings.ToLower(parent), field, page)
}

// pages finds the pages in an answer to query, by the row that they belong to.
func (c collection) pages(got gqltest.Answer) map[string]any {
	if !strings.Contains(c.field, ".") {
		return map[string]any{"": got.At("list")}
	}
	pages := map[string]any{}
	nodes, _ := got.At("of.nodes").([]any)
	for _, n := range nodes {
		node := n.(map[string]any)
		pages[node["id"].(string)] = node["list"]
	}
	return pages
}

// TestReadPages compares pages with a model, for all combinations of arguments and every
// connection.
func TestReadPages(t *testing.T) {
	t.Parallel()
	w := makeWorld()
	both := newTwins(t, w)
	for _, c := range collections(w) {
		t.Run(c.field, func(t *testing.T) {
			r := rand.New(rand.NewPCG(1, 1))
			orders := orderings(t, c)
			cursors := make([]map[string]string, len(orders))
			var everything []line
			for _, lines := range c.lists {
				everything = append(everything, lines...)
			}
			slices.SortFunc(everything, ordering{}.compare)
			everything = slices.CompactFunc(everything, func(a, b line) bool { return a.key == b.key })
			var wheres []string
			for where := range everything[0].match {
				wheres = append(wheres, where)
			}
			slices.Sort(wheres)
			for i := range 128 {
				at := r.IntN(len(orders))
				if i/64 == 0 {
					at = i % len(orders)
				}
				if cursors[at] == nil {
					cursors[at] = rootCursors(t, both, c, orders[at])
				}
				for where := range cursorsNeeded(everything, cursors[at]) {
					t.Fatalf("no cursor for %s", where)
				}
				a := cut{order: orders[at]}
				if i&1 != 0 {
					a.first = new(pick(r, []int{0, 1, 2, 3, 5, 100}))
				}
				if i&2 != 0 {
					a.last = new(pick(r, []int{0, 1, 2, 4, 100}))
				}
				if i&4 != 0 {
					a.after = new(pick(r, everything))
				}
				if i&8 != 0 {
					a.before = new(pick(r, everything))
				}
				if i&16 != 0 {
					a.offset = new(pick(r, []int{0, 1, 3, 1000, 1<<31 - 1}))
				}
				if i&32 != 0 {
					a.where = pick(r, wheres)
				}
				v := a.vars(func(l line) string { return cursors[at][l.id] })
				got := both.mustDo(t, c.query(), v)
				pages := c.pages(got)
				for owner, lines := range c.lists {
					if pages[owner] == nil && owner == "" && strings.Contains(c.field, ".") {
						continue // rows that belong to nobody
					}
					if pages[owner] == nil && strings.HasPrefix(owner, "user_") && deleted(w, owner) {
						continue
					}
					checkPage(t, fmt.Sprintf("%s of %q, %s", c.field, owner, a), pages[owner], a.of(lines), cursors[at])
				}
			}
		})
	}
}

func deleted(w *world, id string) bool {
	return slices.ContainsFunc(w.users, func(u *ent.User) bool { return u.DeletedAt != nil && idOf("user", u.ID) == id })
}

// cursorsNeeded yields the IDs of the lines whose cursors are missing.
func cursorsNeeded(lines []line, cursors map[string]string) func(func(string) bool) {
	return func(yield func(string) bool) {
		for _, l := range lines {
			if cursors[l.id] == "" && !yield(l.id) {
				return
			}
		}
	}
}

// rootCursors returns the cursors of all rows, as the root field of the collection's entity returns
// them.
func rootCursors(t *testing.T, both twins, c collection, order ordering) map[string]string {
	t.Helper()
	root := c
	if _, field, nested := strings.Cut(c.field, "."); nested {
		root.field = field
	}
	got := both.mustDo(t, root.query(), cut{order: order, first: new(100)}.vars(nil))
	cursors := map[string]string{}
	for i := range got.Len("list.edges") {
		cursors[got.Text(fmt.Sprintf("list.edges.%d.node.id", i))] = got.Text(fmt.Sprintf("list.edges.%d.cursor", i))
	}
	return cursors
}

func checkPage(t *testing.T, name string, page any, want pageWanted, cursors map[string]string) {
	t.Helper()
	got, _ := json.Marshal(page)
	edges, nodes := []vars{}, []vars{}
	info := vars{"hasNextPage": want.next, "hasPreviousPage": want.previous, "startCursor": nil, "endCursor": nil}
	for _, l := range want.lines {
		edges = append(edges, vars{"cursor": cursors[l.id], "node": vars{"id": l.id}})
		nodes = append(nodes, vars{"id": l.id})
	}
	if n := len(want.lines); n > 0 {
		info["startCursor"], info["endCursor"] = cursors[want.lines[0].id], cursors[want.lines[n-1].id]
	}
	wanted, _ := json.Marshal(vars{"totalCount": want.total, "edges": edges, "nodes": nodes, "pageInfo": info})
	if !bytes.Equal(got, wanted) {
		t.Fatalf("%s:\n%s\nwant\n%s", name, got, wanted)
	}
}

// TestReadWalk walks through lists by cursors, forward and backward, while rows are added and
// removed, including the row of the cursor.
func TestReadWalk(t *testing.T) {
	t.Parallel()
	w := makeWorld()
	both := newTwins(t, w)
	heroes := slices.Clone(w.heroes)
	owner := pickOwner(w)
	r := rand.New(rand.NewPCG(9, 9))
	remove := func(key uuid.UUID) {
		heroes = slices.DeleteFunc(heroes, func(h *ent.Hero) bool { return h.ID == key })
		both.each(func(a *api) {
			a.stored(func(ctx context.Context, c *ent.Client) {
				if err := c.Hero.DeleteOneID(key).Exec(ctx); err != nil {
					t.Fatal(err)
				}
			})
		})
	}
	insert := func() {
		h := *pick(r, w.heroes)
		for i := range h.ID {
			h.ID[i] = byte(r.Uint32())
		}
		h.OwnerID = &owner
		heroes = append(heroes, &h)
		both.each(func(a *api) {
			a.stored(func(ctx context.Context, c *ent.Client) {
				if err := setHero(c.Hero.Create(), &h).Exec(ctx); err != nil {
					t.Fatal(err)
				}
			})
		})
	}
	for _, nested := range []bool{false, true} {
		list := func() (lines []line) {
			for _, h := range heroes {
				if !nested || h.OwnerID != nil && *h.OwnerID == owner {
					lines = append(lines, heroLine(w, h))
				}
			}
			return lines
		}
		query := `query($first: Int, $after: Cursor, $last: Int, $before: Cursor, $orderBy: [HeroOrder!]) { list: heroes` + walkedPage + ` }`
		if nested {
			query = `query($owner: ID!, $first: Int, $after: Cursor, $last: Int, $before: Cursor, $orderBy: [HeroOrder!]) { user(id: $owner) { list: heroes` + walkedPage + ` } }`
		}
		for i, order := range orderings(t, collection{entity: "Hero", lists: map[string][]line{"": list()}}) {
			if i > 11 && i%3 > 0 {
				continue // all orders by one field, and some by several
			}
			backward := i%2 == 1
			at, size := cut{order: order}, 4+i%5
			if backward {
				at.last = &size
			} else {
				at.first = &size
			}
			before, seen := list(), map[string]int{}
			cursor, more := "", true
			for steps := 0; more; steps++ {
				if steps > 100 {
					t.Fatalf("%s does not come to an end", at)
				}
				v := at.vars(func(line) string { return cursor })
				v["owner"] = idOf("user", owner)
				got := both.mustDo(t, query, v)
				path := "list"
				if nested {
					path = "user.list"
				}
				want := at.of(list())
				page, _ := got.At(path).(map[string]any)
				var ids, wanted []string
				for i := range got.Len(path + ".edges") {
					ids = append(ids, got.Text(fmt.Sprintf("%s.edges.%d.node.id", path, i)))
				}
				for _, l := range want.lines {
					wanted = append(wanted, l.id)
					seen[l.id]++
				}
				info := page["pageInfo"].(map[string]any)
				if !slices.Equal(ids, wanted) || info["hasNextPage"] != want.next || info["hasPreviousPage"] != want.previous {
					t.Fatalf("%s, nested %t, step %d: %s\nwant %v, next %t, previous %t", at, nested, steps, got, wanted, want.next, want.previous)
				}
				more = want.next
				edge := len(want.lines) - 1
				if backward {
					more, edge = want.previous, 0
				}
				if !more {
					break
				}
				last := want.lines[edge]
				cursor = got.Text(fmt.Sprintf("%s.edges.%d.cursor", path, edge))
				if backward {
					at.before = &last
				} else {
					at.after = &last
				}
				insert()
				insert()
				remove(last.key) // the cursor's own row
				if rest := list(); len(rest) > 30 {
					remove(pick(r, rest).key)
				}
			}
			for _, l := range before {
				stayed := slices.ContainsFunc(heroes, func(h *ent.Hero) bool { return h.ID == l.key })
				if stayed && seen[l.id] != 1 || seen[l.id] > 1 {
					t.Errorf("%s: %s was there all the time and was seen %d times", at, l.id, seen[l.id])
				}
			}
		}
	}
}

const walkedPage = `(first: $first, after: $after, last: $last, before: $before, orderBy: $orderBy) {
	edges { cursor node { id } } pageInfo { hasNextPage hasPreviousPage } }`

// pickOwner returns a user who owns heroes and is not deleted.
func pickOwner(w *world) uuid.UUID {
	for _, h := range w.heroes {
		if h.OwnerID != nil && !deleted(w, idOf("user", *h.OwnerID)) {
			return *h.OwnerID
		}
	}
	panic("no hero has an owner")
}
