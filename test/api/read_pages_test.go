package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"forge/ent"
)

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
