package api_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// TestReadPastTheEnd asks for pages without rows: in empty lists, and past the end of a list. Such
// a page reports rows before or after it only if there are any.
func TestReadPastTheEnd(t *testing.T) {
	t.Parallel()
	w := makeWorld()
	both := newTwins(t, w)
	order := ordering{{"NAME", "ASC", ""}}
	heroes := collection{entity: "Hero", field: "heroes"}
	cursors := rootCursors(t, both, heroes, order)
	first, last := firstAndLast(w, order)
	const none, some = `{"nameHasPrefix":"no hero"}`, `{}`
	for _, tt := range []struct {
		where, args    string
		next, previous bool
	}{
		{none, `first: 1`, false, false},
		{none, `first: 0`, false, false},
		{none, `last: 1`, false, false},
		{none, `first: 1, last: 1`, false, false},
		{none, `offset: 3`, false, false},
		{none, `first: 1, offset: 3`, false, false},
		{none, `first: 0, offset: 3`, false, false},
		{none, `last: 1, offset: 3`, false, false},
		{none, `last: 0, offset: 3`, false, false},
		{none, `first: 1, last: 1, offset: 3`, false, false},
		{none, `first: 1, last: 1, offset: 3, after: "FIRST", before: "LAST"`, false, false},
		{none, `first: 1, offset: 3, before: "LAST"`, false, false},
		{none, `last: 1, offset: 3, after: "FIRST"`, false, false},

		{some, `offset: 1000`, false, true},
		{some, `first: 1, offset: 1000`, false, true},
		{some, `first: 0, offset: 1000`, false, true},
		{some, `last: 1, offset: 1000`, true, false},
		{some, `last: 0, offset: 1000`, true, false},
		{some, `first: 1, last: 1, offset: 1000`, false, true},
		{some, `first: 1, after: "LAST"`, false, true},
		{some, `first: 1, offset: 1000, after: "LAST"`, false, true},
		{some, `last: 1, before: "FIRST"`, true, false},
		{some, `last: 1, offset: 1000, before: "FIRST"`, true, false},
		{some, `first: 1, before: "FIRST"`, false, false},
		{some, `first: 1, offset: 1000, before: "FIRST"`, false, false},
		{some, `last: 1, after: "LAST"`, false, false},
		{some, `last: 1, offset: 1000, after: "LAST"`, false, false},
		{some, `first: 1, last: 1, offset: 1000, after: "LAST"`, false, false},
		{some, `first: 1, last: 1, offset: 1000, before: "FIRST"`, false, false},
	} {
		args := strings.NewReplacer("FIRST", cursors[first.id], "LAST", cursors[last.id]).Replace(tt.args)
		page := `heroes(` + args + `, where: $w, orderBy: {field: NAME}) { nodes { id } pageInfo { hasNextPage hasPreviousPage } }`
		want := fmt.Sprintf(`{"nodes":[],"pageInfo":{"hasNextPage":%t,"hasPreviousPage":%t}}`, tt.next, tt.previous)
		got := both.mustDo(t, `query($w: HeroWhereInput) { `+page+` }`, vars{"w": json.RawMessage(tt.where)})
		if is := encoded(got.At("heroes")); is != want {
			t.Errorf("heroes where %s, %s: %s, want %s", tt.where, tt.args, is, want)
		}
		if tt.where != none {
			continue
		}
		got = both.mustDo(t, `query($w: HeroWhereInput) { teams { nodes { `+page+` } } }`, vars{"w": json.RawMessage(tt.where)})
		for i := range got.Len("teams.nodes") {
			if is := encoded(got.At(fmt.Sprintf("teams.nodes.%d.heroes", i))); is != want {
				t.Errorf("heroes of a team where %s, %s: %s, want %s", tt.where, tt.args, is, want)
			}
		}
	}
	// Of several lists, each is told of for itself.
	got := both.mustDo(t, `{ teams { nodes { heroes(last: 1, offset: 1000) { totalCount nodes { id } pageInfo { hasNextPage hasPreviousPage } } } } }`, nil)
	counts := map[bool]int{}
	for i := range got.Len("teams.nodes") {
		at := fmt.Sprintf("teams.nodes.%d.heroes.", i)
		there := got.Number(at+"totalCount") > 0
		counts[there]++
		if got.At(at+"pageInfo.hasNextPage") != there || got.At(at+"pageInfo.hasPreviousPage") != false {
			t.Errorf("%s: %s", at, encoded(got.At(at+"pageInfo")))
		}
	}
	if counts[true] == 0 || counts[false] == 0 {
		t.Errorf("%v: there are no teams with heroes, or none without", counts)
	}
}

// TestReadPastStatements counts the statements that it takes to find out whether an empty page has
// rows on the side of its offset. It takes one, if the client asks and no other statement tells. On
// PostgreSQL the query itself tells.
func TestReadPastStatements(t *testing.T) {
	t.Parallel()
	w := makeWorld()
	both := newTwins(t, w)
	cursor := both.mustDo(t, `{ users(first: 1) { pageInfo { endCursor } } }`, nil).Text("users.pageInfo.endCursor")
	for query, want := range map[string]int{
		`{ users(first: 5, offset: 1) { pageInfo { hasPreviousPage hasNextPage } } }`:                             1,
		`{ users(first: 5, offset: 1000) { pageInfo { hasNextPage } } }`:                                          1,
		`{ users(first: 5, offset: 1000) { pageInfo { hasPreviousPage } } }`:                                      2,
		`{ users(first: 5, offset: 1000, after: "CURSOR") { pageInfo { hasPreviousPage } } }`:                     1,
		`{ users(last: 5, offset: 1000) { pageInfo { hasPreviousPage } } }`:                                       1,
		`{ users(last: 5, offset: 1000) { pageInfo { hasNextPage } } }`:                                           2,
		`{ users(last: 5, offset: 1000, before: "CURSOR") { pageInfo { hasNextPage } } }`:                         1,
		`{ users(first: 9) { nodes { heroes(first: 5, offset: 1000) { totalCount nodes { name } } } } }`:          3,
		`{ users(first: 9) { nodes { heroes(first: 5, offset: 1000) { pageInfo { hasPreviousPage } } } } }`:       3,
		`{ users(first: 9) { nodes { heroes(first: 5, offset: 1000) { pageInfo { hasNextPage endCursor } } } } }`: 2,
	} {
		both.each(func(a *api) {
			got := a.Must(strings.ReplaceAll(query, "CURSOR", cursor), nil)
			if want := a.atMost(want, query); got.Statements() != want {
				t.Errorf("%s: %d statements, want %d", query, got.Statements(), want)
			}
		})
	}
}

// firstAndLast returns the first and the last hero in an order.
func firstAndLast(w *world, order ordering) (first, last line) {
	for i, h := range w.heroes {
		l := heroLine(w, h)
		if i == 0 || order.compare(l, first) < 0 {
			first = l
		}
		if i == 0 || order.compare(l, last) > 0 {
			last = l
		}
	}
	return first, last
}

// encoded returns a value as JSON, with sorted keys.
func encoded(value any) string {
	b, _ := json.Marshal(value)
	return string(b)
}
