package api_test

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"forge/ent"
	"forge/internal/changes"
	"forge/internal/ids"
	"forge/internal/unit"
	"forge/internal/viewer"
	"forge/test/dbtest"
)

func init() {
	checks := "5"
	if os.Getenv("FORGE_SOAK") != "" {
		checks = "500"
	}
	for name, value := range map[string]string{"rapid.checks": checks, "rapid.nofailfile": "true"} {
		if err := flag.Set(name, value); err != nil {
			panic(err)
		}
	}
}

// TestWhoHears makes random changes of random rows, in transactions of which some are rolled back.
// Each viewer hears of a change exactly if a read before or after it as that viewer shows the row:
// at once, from memory, and later, from the log. The oracle knows nothing but the rows as they are
// stored before and after each change.
func TestWhoHears(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) {
		a, other := newStreams(t, url), newStreams(t, url)
		rapid.Check(t, func(rt *rapid.T) { newHears(rt, a, other).run() })
	})
}

// event is that a change has changed a row.
type event struct {
	id      string
	op      changes.Op
	heardBy map[string]bool // by the names of viewers
	refs    string          // of the row, before and after
}

// hears are the viewers of one run, and what they have to hear of.
type hears struct {
	hearsWorld
	a, other *api
	viewers  map[string]viewer.Viewer
	as       map[string]string // the names of viewers to what stock.sees takes
	now      shelf
	events   []event
}

func newHears(t *rapid.T, a, other *api) *hears {
	h := &hears{hearsWorld: hearsWorld{t: t, made: map[string][]uuid.UUID{}}, a: a, other: other, now: shelf{},
		viewers: map[string]viewer.Viewer{"admin": viewer.System, "nobody": {}}, as: map[string]string{"admin": "admin", "nobody": ""}}
	a.stored(func(ctx context.Context, db *ent.Client) {
		for _, name := range []string{"ann", "bob"} {
			id := db.User.Create().SetUsername(uuid.NewString()).SaveX(ctx).ID
			h.add("user", id)
			h.viewers[name], h.as[name] = viewer.Viewer{ID: id, Role: viewer.User}, ids.ID{Prefix: "user", UUID: id}.String()
		}
		h.now = h.rows(ctx, db)
	})
	return h
}

const hearsOf = `subscription($after: ChangeCursor) { changes(after: $after) { cursor changes { kind id node { id } } } }`

func (h *hears) run() {
	h.a.caughtUp()
	start := h.a.Must(`{ changeCursor }`, nil).Text("changeCursor")
	ctx, cancel := context.WithCancel(h.a.t.Context())
	live := map[string]*subscriber{}
	for name, v := range h.viewers {
		live[name] = h.a.subscribeWith(ctx, v, hearsOf, vars{"after": start}, "")
		defer live[name].op.Close()
	}
	defer cancel()
	for range rapid.IntRange(1, 8).Draw(h.t, "transactions") {
		some := h.transaction()
		h.a.tick()
		h.a.feed.Look()
		h.a.caughtUp()
		for name, s := range live {
			h.compare(name+", at once", name, some, h.heard(s, "changes"))
		}
		h.events = append(h.events, some...)
	}
	h.other.caughtUp() // what it has in memory may end earlier
	for _, name := range slices.Sorted(maps.Keys(h.viewers)) {
		s := h.other.subscribeWith(ctx, h.viewers[name], hearsOf, vars{"after": start}, "")
		h.compare(name+", later", name, h.events, h.heard(s, "changes"))
		s.op.Close()
		h.selected(ctx, name, h.viewers[name], start)
	}
	h.readAll()
}

// transaction makes some changes, and returns what they come to.
func (h *hears) transaction() (all []event) {
	u := unit.New(h.a.db, unit.Write)
	defer u.Rollback()
	ctx, db := viewer.NewContext(unit.NewContext(h.a.t.Context(), u), viewer.System), ent.UnitClient(u)
	before := h.now
	for range rapid.IntRange(1, 4).Draw(h.t, "changes") {
		h.change(ctx, db)
		after := h.rows(ctx, db)
		for _, id := range differing(before, after) {
			e := event{id: id, op: opOfRow(before, after, id), heardBy: map[string]bool{}, refs: before[id].refs + " " + after[id].refs}
			for name := range h.viewers {
				_, had := before[id]
				_, has := after[id]
				e.heardBy[name] = had && before[id].sees(h.as[name], id) || has && after[id].sees(h.as[name], id)
			}
			all = append(all, e)
		}
		before = after
	}
	if rapid.IntRange(0, 4).Draw(h.t, "rollback") == 0 {
		return nil
	}
	if err := u.Commit(ctx); err != nil {
		h.t.Fatal(err)
	}
	h.now = before
	return all
}

// told is what a viewer is told: kinds and whether the row is shown, by IDs, in their order.
type toldOf map[string][]string

// heard returns all that a subscription has to tell now.
func (h *hears) heard(s *subscriber, field string) toldOf {
	all := toldOf{}
	for {
		answer, err := s.op.Next(s.ctx)
		if err != nil {
			h.t.Fatal(err)
		}
		if answer == nil {
			return all
		}
		got := s.read(answer)
		if !got.OK() {
			h.t.Fatal(got.Body)
		}
		for i := range got.Len(field + ".changes") {
			at := fmt.Sprintf("%s.changes.%d.", field, i)
			id, node := got.Text(at+"id"), "gone"
			if got.At(at+"node") != nil {
				node = "shown"
			}
			all[id] = append(all[id], got.Text(at+"kind")+" "+node)
		}
	}
}

// compare compares what a viewer was told with what the oracle says.
func (h *hears) compare(what, name string, events []event, got toldOf) {
	want := map[string]bool{}
	for _, e := range events {
		if e.heardBy[name] {
			want[e.id] = true
		}
	}
	if !slices.Equal(slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want))) {
		h.t.Fatalf("%s: told of %v, want %v", what, got, slices.Sorted(maps.Keys(want)))
	}
	for id, all := range got {
		row, has := h.now[id]
		shown := has && row.sees(h.as[name], id)
		// The items of an order go with it, which may be logged after it: as UPDATED, without the
		// order. Who asks for the rows of a user is not told of the removal of one that was
		// another's by then.
		gone := false
		for _, text := range all {
			gone = strings.HasPrefix(text, "REMOVED") || gone && text == "UPDATED gone"
		}
		if gone && shown || !gone && !shown && !strings.Contains(what, " of ") || slices.ContainsFunc(all, func(text string) bool { return strings.HasSuffix(text, "shown") != shown }) {
			h.t.Fatalf("%s: told of %s: %q; the row is shown: %t", what, id, all, shown)
		}
	}
}

// selected asks for changes by an argument, from the log and from memory.
func (h *hears) selected(ctx context.Context, name string, v viewer.Viewer, start string) {
	if name == "nobody" {
		return
	}
	users := h.made["user"]
	of := ids.ID{Prefix: "user", UUID: users[rapid.IntRange(0, len(users)-1).Draw(h.t, "of")]}.String()
	query := `subscription($after: ChangeCursor, $of: [ID!]) { x: %s(after: $after, %s: $of) { cursor changes { kind id node: %s { id } } } }`
	for _, field := range [][3]string{{"orderChanges", "userIds", "order"}, {"heroChanges", "ownerIds", "hero"}, {"userChanges", "ids", "user"}} {
		var want []event
		for _, e := range h.events {
			if strings.HasPrefix(e.id, field[2]+"_") && (strings.Contains(e.refs, of) || e.id == of) {
				want = append(want, e)
			}
		}
		for where, a := range map[string]*api{"memory": h.a, "log": h.other} {
			s := a.subscribeWith(ctx, v, fmt.Sprintf(query, field[0], field[1], field[2]), vars{"after": start, "of": []string{of}}, "")
			h.compare(fmt.Sprintf("%s, %s of %s, from %s", name, field[0], of, where), name, want, h.heard(s, "x"))
			s.op.Close()
		}
	}
}

// readAll checks that the oracle is right about what reads show.
func (h *hears) readAll() {
	for name, v := range h.viewers {
		for id, row := range h.now {
			shown := h.a.as(v).Must(`query($id: ID!) { node(id: $id) { id } }`, vars{"id": id}).At("node") != nil
			if shown != row.sees(h.as[name], id) {
				h.t.Fatalf("%s sees %s: %t", name, id, shown)
			}
		}
	}
}
