package api_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"forge/ent"
	"forge/internal/entity"
	"forge/internal/rule"
	"forge/test/dbtest"
	"forge/test/gqltest"
)

// copied is a copy of the heroes, by their IDs, that is kept as docs/offline.md says.
type copied map[string]string

func (c copied) take(got gqltest.Answer, at string) {
	if got.At(at) != nil {
		c[got.Text(at+".id")] = fmt.Sprint(got.Text(at+".name"), " ", got.Number(at+".version"))
	}
}

// pages reads all heroes, page after page, and calls a function after each.
func (c copied) pages(q *gqltest.Client, order string, between func()) {
	for after := any(nil); ; {
		got := q.Must(`query($after: Cursor) { heroes(first: 20, after: $after`+order+`) { nodes { id name version } pageInfo { hasNextPage endCursor } } }`, vars{"after": after})
		for i := range got.Len("heroes.nodes") {
			c.take(got, fmt.Sprintf("heroes.nodes.%d", i))
		}
		between()
		if after = got.At("heroes.pageInfo.endCursor"); got.At("heroes.pageInfo.hasNextPage") != true {
			return
		}
	}
}

// changes takes in all changes after a cursor, and returns the last cursor.
func (c copied) changes(q *gqltest.Client, after string) string {
	for {
		got := q.Must(`query($after: ChangeCursor!) { changes(types: [HERO], after: $after, first: 50) { cursor changes { id node { ... on Hero { id name version } } } } }`, vars{"after": after})
		for i := range got.Len("changes.changes") {
			at := fmt.Sprintf("changes.changes.%d.", i)
			delete(c, got.Text(at+"id"))
			c.take(got, at+"node")
		}
		last := after
		if after = got.Text("changes.cursor"); after == last {
			return after
		}
	}
}

// TestSnapshotInPages reads a table page by page while others write it: the cursor first, then the
// pages, then what has changed. The copy has to be right, in either order of the pages, and to stay
// right by further changes.
func TestSnapshotInPages(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) {
		a := newAPI(t, url)
		input := make([]vars, 300)
		for i := range input {
			input[i] = vars{"name": fmt.Sprint("hero ", i)}
		}
		made := a.Must(`mutation($i: [CreateHeroInput!]!) { createHeroes(input: $i) { heroes { id } } }`, vars{"i": input})
		var all []string
		for i := range input {
			all = append(all, made.Text(fmt.Sprintf("createHeroes.heroes.%d.id", i)))
		}
		for _, order := range []string{"", ", orderBy: [{field: UPDATED_AT}]"} {
			var writers sync.WaitGroup
			random := rand.New(rand.NewPCG(3, 7))
			writers.Go(func() { a.writeHeroes(rand.New(rand.NewPCG(1, 7)), all, 200) })
			c := copied{}
			cursor := a.Must(`{ changeCursor }`, nil).Text("changeCursor")
			c.pages(a.Client, order, func() { a.writeHeroes(random, all, 5) })
			cursor = c.changes(a.Client, cursor)
			writers.Wait()
			a.tick()
			c.changes(a.Client, cursor)
			there := copied{}
			there.pages(a.Client, "", func() {})
			if !maps.Equal(c, there) {
				t.Errorf("ordered by %q, the copy has %d heroes, of %d, or others", order, len(c), len(there))
			}
		}
	})
}

// writeHeroes changes, creates and removes heroes, n times. Some of it fails.
func (a *api) writeHeroes(random *rand.Rand, some []string, n int) {
	for i := range n {
		id := some[random.IntN(len(some))]
		switch random.IntN(6) {
		case 0:
			a.Do(`mutation($n: String!) { createHero(input: {name: $n}) { hero { id } } }`, vars{"n": fmt.Sprint("new ", i)})
		case 1:
			a.Do(`mutation($id: ID!) { deleteHero(id: $id) { deletedId } }`, vars{"id": id})
		case 2: // comes back at its old place in the order of IDs
			a.Do(createHeroByID, vars{"id": id, "name": "again"})
		default:
			a.Do(`mutation($id: ID!, $n: String!) { updateHero(id: $id, input: {name: $n}) { hero { id } } }`, vars{"id": id, "n": fmt.Sprint("changed ", i)})
		}
	}
}

// TestUpdatedAtEverywhere expects conditions on updatedAt, and an order by it, of each entity that
// shows it to all.
func TestUpdatedAtEverywhere(t *testing.T) {
	t.Parallel()
	a := newAPI(t, dbtest.SQLite(t))
	checked := 0
	for _, e := range ent.Entities {
		if e.Field("updatedAt") == nil || rule.Visible(e, "updatedAt") != entity.ToAll {
			continue
		}
		got := a.Must(`query($w: String!, $o: String!) { w: __type(name: $w) { inputFields { name } } o: __type(name: $o) { enumValues { name } } }`,
			vars{"w": e.Name + "WhereInput", "o": e.Name + "OrderField"})
		if got.At("w") == nil {
			continue // no lists of it
		}
		checked++
		for _, name := range []string{`"updatedAtGT"`, `"updatedAtGTE"`, `"UPDATED_AT"`} {
			if !strings.Contains(got.Body, name) {
				t.Errorf("%s has no %s", e.Name, name)
			}
		}
	}
	if checked < 5 {
		t.Errorf("%d entities have it, of 5", checked)
	}
}

// TestQueueReplayed sends a queue of mutations whose answers were lost once more: under keys that
// are kept, under keys that have expired, and as somebody else.
func TestQueueReplayed(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) {
		a := newAPI(t, url)
		ada, eve := a.as(a.newUser("ada")), a.as(a.newUser("eve"))
		id := newHeroID()
		const (
			create = `mutation($id: ID!, $n: String!) { createHero(input: {id: $id, name: $n}, onConflict: {on: ID, do: NOTHING}) { created hero { name version } } }`
			rename = `mutation($id: ID!, $n: String!, $v: Int) { updateHero(id: $id, input: {name: $n}, expectedVersion: $v) { hero { name version } } }`
			remove = `mutation($id: ID!, $v: Int) { deleteHero(id: $id, expectedVersion: $v) { deletedId } }`
		)
		under := func(c *gqltest.Client, key, query string, v vars) gqltest.Answer {
			return c.With("Idempotency-Key", key).Do(query, v)
		}
		queue := func(c *gqltest.Client, upTo int) (answers []string) {
			for i, step := range []struct {
				query string
				v     vars
			}{
				{create, vars{"id": id, "n": "one"}}, {rename, vars{"id": id, "n": "two", "v": 1}}, {rename, vars{"id": id, "n": "three", "v": 2}}, {remove, vars{"id": id, "v": 3}},
			}[:upTo] {
				got := under(c, fmt.Sprint("key ", i), step.query, step.v)
				answers = append(answers, got.Code()+got.RawData())
			}
			return answers
		}
		first := queue(ada, 3)
		again := queue(ada, 3)
		if fmt.Sprint(first) != fmt.Sprint(again) || strings.Contains(first[2], "CONFLICT") {
			t.Errorf("under the same keys:\n%s\n%s", first, again)
		}
		// A key is its owner's: the same requests of somebody else are new ones, under their rules.
		others := queue(eve, 3)
		if !strings.Contains(others[0], `"created":false`) || !strings.HasPrefix(others[1], "FORBIDDEN") && !strings.HasPrefix(others[1], "CONFLICT") {
			t.Errorf("as somebody else: %s", others)
		}
		// Without the keys, a create finds its row; the last change finds its own values.
		a.expireKeys()
		late := queue(ada, 3)
		if !strings.Contains(late[0], `"created":false`) || !strings.HasPrefix(late[1], "CONFLICT") || !strings.HasPrefix(late[2], "CONFLICT") {
			t.Errorf("under keys that have expired: %s", late)
		}
		if got := ada.WantCode("CONFLICT", rename, vars{"id": id, "n": "three", "v": 2}); got.Extension("current") != nil || fmt.Sprint(got.Extension("currentVersion")) != "3" {
			t.Errorf("a change that was made before: %s", got)
		}
		if got := ada.WantCode("CONFLICT", rename, vars{"id": id, "n": "two", "v": 1}); got.Extension("current") == nil {
			t.Errorf("a change that others came after: %s", got)
		}
		queue(ada, 4)
		a.expireKeys()
		ada.WantCode("NOT_FOUND", remove, vars{"id": id, "v": 3})
	})
}
