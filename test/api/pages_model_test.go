package api_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
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
