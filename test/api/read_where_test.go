package api_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/vektah/gqlparser/v2/ast"
)

// try sends a where input to both databases, as a variable and as a literal, and compares the
// results with the model.
func (m *model) try(t *testing.T, both twins, name string, where map[string]any) (matched, of int) {
	t.Helper()
	root, name, where := m.rooted(name, where)
	input := name + "WhereInput"
	want := m.matching(name, where)
	page := "(first: 100, where: %s) { totalCount nodes { id } } }"
	byVariable := both.mustDo(t, "query($where: "+input+") { list: "+root+fmt.Sprintf(page, "$where"), vars{"where": where})
	byLiteral := both.sqlite.Must("{ list: "+root+fmt.Sprintf(page, m.literal(ast.NamedType(input, nil), where)), nil)
	if withoutCost(byLiteral) != withoutCost(byVariable) {
		t.Errorf("%s where %v by a literal:\n%s\nby a variable:\n%s", root, where, byLiteral, byVariable)
	}
	got := []string{}
	for i := range byVariable.Len("list.nodes") {
		got = append(got, byVariable.Text(fmt.Sprintf("list.nodes.%d.id", i)))
	}
	if !slices.Equal(got, want) || byVariable.Number("list.totalCount") != len(want) {
		b, _ := json.Marshal(where)
		t.Errorf("%s where %s: %d rows, totalCount %d, want %d rows\ngot  %v\nwant %v", root, b, len(got), byVariable.Number("list.totalCount"), len(want), got, want)
	}
	return len(want), len(m.rows[name])
}

// TestReadWhere tries every condition that the schema offers, and then random combinations.
func TestReadWhere(t *testing.T) {
	t.Parallel()
	w := makeWorld()
	both := newTwins(t, w)
	m := newModel(t, w)
	for name, def := range m.schema.Types {
		name, ok := strings.CutSuffix(name, "WhereInput")
		if !ok {
			continue
		}
		t.Run(name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(3, uint64(len(name))))
			for _, condition := range def.Fields {
				some, few := 0, 0
				for _, value := range m.variants(r, name, condition) {
					matched, of := m.try(t, both, name, map[string]any{condition.Name: value})
					m.try(t, both, name, map[string]any{"not": map[string]any{condition.Name: value}})
					if matched > 0 {
						some++
					}
					if matched < of {
						few++
					}
				}
				if some == 0 || few == 0 {
					t.Errorf("%s.%s: the values tried match always or never, which shows nothing", def.Name, condition.Name)
				}
			}
			for range 60 {
				m.try(t, both, name, m.random(r, name, 3))
			}
		})
	}
}

// TestReadWhereNested tries conditions on lists below other rows, which are read by other
// statements than lists at the root.
func TestReadWhereNested(t *testing.T) {
	t.Parallel()
	w := makeWorld()
	both := newTwins(t, w)
	m := newModel(t, w)
	r := rand.New(rand.NewPCG(5, 5))
	for range 60 {
		heroes, orders := m.random(r, "Hero", 2), m.random(r, "Order", 2)
		got := both.mustDo(t, `query($heroes: HeroWhereInput, $orders: OrderWhereInput) { users(first: 100) { nodes { id
			heroes(first: 100, where: $heroes) { totalCount nodes { id } } orders(first: 100, where: $orders) { totalCount nodes { id } } } } }`,
			vars{"heroes": heroes, "orders": orders})
		matchingHeroes, matchingOrders := m.matching("Hero", heroes), m.matching("Order", orders)
		for i := range got.Len("users.nodes") {
			path := fmt.Sprintf("users.nodes.%d.", i)
			user := got.Text(path + "id")
			for list, wanted := range map[string][]string{
				"heroes": belonging(m, "Hero", "ownerId", user, matchingHeroes), "orders": belonging(m, "Order", "userId", user, matchingOrders),
			} {
				var ids []string
				for j := range got.Len(path + list + ".nodes") {
					ids = append(ids, got.Text(fmt.Sprintf("%s%s.nodes.%d.id", path, list, j)))
				}
				if !slices.Equal(ids, wanted) || got.Number(path+list+".totalCount") != len(wanted) {
					t.Errorf("%s of %s where %v or %v: %v, want %v", list, user, heroes, orders, ids, wanted)
				}
			}
		}
	}
}

// belonging returns those of the IDs whose rows refer to the user.
func belonging(m *model, name, field, user string, from []string) (list []string) {
	for _, row := range m.rows[name] {
		if owner, ok := row[field].(uuid.UUID); ok && idOf("user", owner) == user {
			list = append(list, idOf(m.entities[name].Prefix, row.key()))
		}
	}
	slices.Sort(list)
	return slices.DeleteFunc(list, func(id string) bool { return !slices.Contains(from, id) })
}

// TestReadDeleted looks for deleted users in every place where a user can appear.
func TestReadDeleted(t *testing.T) {
	t.Parallel()
	w := makeWorld()
	both := newTwins(t, w)
	for _, u := range w.users {
		id := idOf("user", u.ID)
		there := u.DeletedAt == nil
		got := both.mustDo(t, `query($id: ID!, $name: String!) {
			user(id: $id) { id } node(id: $id) { id ... on User { username } } nodes(ids: [$id, $id]) { id }
			all: users(first: 100) { totalCount nodes { id } }
			named: users(where: {username: $name}) { totalCount nodes { id } }
			owned: heroes(first: 100, where: {hasOwner: true, ownerId: $id}) { totalCount nodes { owner { id } } }
			with: heroes(first: 100, where: {hasOwnerWith: {id: $id}}) { totalCount }
			lost: heroes(first: 100, where: {hasOwner: false, ownerId: $id}) { totalCount nodes { owner { id } } }
			deep: teams(where: {hasHeroesWith: {hasOwnerWith: {id: $id}}}) { totalCount }
			orders(first: 100, where: {userId: $id}) { nodes { user { id } } }
			bought: orders(where: {hasUserWith: {id: $id}}) { totalCount }
		}`, vars{"id": id, "name": u.Username})
		wantID := any(id)
		if !there {
			wantID = nil
		}
		for path, want := range map[string]any{"user.id": wantID, "node.id": wantID, "nodes.0.id": wantID, "nodes.1.id": wantID, "named.nodes.0.id": wantID} {
			if is := got.At(path); is != want {
				t.Errorf("user %q, deleted %t: %s is %v, want %v", u.Username, !there, path, is, want)
			}
		}
		if strings.Contains(got.Body[strings.Index(got.Body, `"all"`):], id) != there {
			t.Errorf("user %q, deleted %t: %s", u.Username, !there, got)
		}
		owns, orders, teams := 0, 0, map[uuid.UUID]bool{}
		for _, h := range w.heroes {
			if h.OwnerID != nil && *h.OwnerID == u.ID {
				owns++
				if h.TeamID != nil {
					teams[*h.TeamID] = true
				}
			}
		}
		for _, o := range w.orders {
			if o.UserID != nil && *o.UserID == u.ID {
				orders++
			}
		}
		counts := map[string]int{"named": 1, "owned": owns, "with": owns, "lost": 0, "deep": len(teams), "bought": orders}
		if !there {
			counts = map[string]int{"named": 0, "owned": 0, "with": 0, "lost": owns, "deep": 0, "bought": 0}
		}
		for name, want := range counts {
			if n := got.Number(name + ".totalCount"); n != want {
				t.Errorf("user %q, deleted %t: %s.totalCount is %d, want %d", u.Username, !there, name, n, want)
			}
		}
		if got.Len("orders.nodes") != orders {
			t.Errorf("user %q has %d orders, want %d", u.Username, got.Len("orders.nodes"), orders)
		}
	}
	living := 0
	for _, u := range w.users {
		if u.DeletedAt == nil {
			living++
		}
	}
	if n := both.mustDo(t, `{ users { totalCount } }`, nil).Number("users.totalCount"); n != living || n == len(w.users) {
		t.Errorf("users.totalCount is %d, want %d of %d", n, living, len(w.users))
	}
}
