package graph_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"forge/internal/dbtest"
	"forge/internal/viewer"
)

// TestSharedReads has a crowd ask for the same with different arguments, as different viewers, until statements have been shared. What each is answered must be
// what they are answered alone.
func TestSharedReads(t *testing.T) {
	t.Parallel()
	a := newAPI(t, dbtest.Postgres(t))
	w := makeWorld()
	a.fill(w)
	s := watch(a)
	server := a.handler.(viewing).handler
	users := []viewer.Viewer{}
	for _, u := range w.users[1:5] {
		users = append(users, viewer.Viewer{ID: u.ID, Role: viewer.User})
	}
	all := slices.Concat(users, []viewer.Viewer{viewer.System, {}})
	anyone := func(name string, w int, id func(int) string) (list []vars) {
		for i := range w {
			list = append(list, vars{name: id(i)})
		}
		return append(list, vars{name: idOf("user", [16]byte{1})}) // of nobody
	}
	usersByID := anyone("id", len(w.users), func(i int) string { return idOf("user", w.users[i].ID) })
	cursors := func(list string) (of []vars) {
		got := a.mustDo("{ list: "+list+"(first: 100) { edges { cursor } } }", nil)
		for i := range got.length("list.edges") {
			of = append(of, vars{"c": got.text(fmt.Sprintf("list.edges.%d.cursor", i))})
		}
		return of
	}
	for name, c := range map[string]struct {
		query     string
		arguments []vars
		viewers   []viewer.Viewer
	}{
		"one":               {"query($id: ID!) { user(id: $id) { id username isActive } }", usersByID, all},
		"what some may see": {"query($id: ID!) { user(id: $id) { username email } }", usersByID, users},
		"own orders":        {"{ orders(first: 5) { nodes { id totalCents } pageInfo { hasNextPage endCursor } } }", []vars{nil}, users},
		"own orders after":  {"query($c: Cursor) { orders(first: 3, after: $c) { edges { cursor node { id } } } }", cursors("orders"), users},
		"heroes after":      {"query($c: Cursor) { heroes(first: 4, after: $c) { edges { cursor node { name } } pageInfo { hasNextPage } } }", cursors("heroes"), all},
		"teams before":      {"query($c: Cursor) { teams(last: 2, before: $c) { nodes { name } pageInfo { hasPreviousPage } } }", cursors("teams"), all},
	} {
		t.Run(name, func(t *testing.T) {
			type question struct {
				who viewer.Viewer
				v   vars
			}
			alone := map[int]string{}
			var questions []question
			ask := func(q question) string {
				b := *a
				b.handler = as(q.who, server)
				return b.do(c.query, q.v).told()
			}
			for _, who := range c.viewers {
				for _, v := range c.arguments {
					alone[len(questions)] = ask(question{who, v})
					questions = append(questions, question{who, v})
				}
			}
			for end := time.Now().Add(time.Minute); !s.shared(); {
				if time.Now().After(end) {
					t.Fatal("no statement was shared")
				}
				var crowd sync.WaitGroup
				for range 24 {
					crowd.Go(func() {
						for range 20 {
							i := rand.IntN(len(questions))
							if got := ask(questions[i]); got != alone[i] {
								t.Errorf("%v as %v: got %s\nalone %s", questions[i].v, questions[i].who, got, alone[i])
							}
						}
					})
				}
				crowd.Wait()
			}
		})
	}
}

// shared reports whether a statement has been run for several requests since it was last asked.
func (s *watched) shared() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	found := slices.ContainsFunc(s.ran, func(text string) bool { return strings.Contains(text, "WITH ORDINALITY AS p(a0") })
	s.ran = nil
	return found
}

// TestSharedReadsSeeWhatWasStored reads what has just been stored while others ask for the same: a statement that began before does not tell.
func TestSharedReadsSeeWhatWasStored(t *testing.T) {
	t.Parallel()
	a := newAPI(t, dbtest.Postgres(t))
	w := makeWorld()
	a.fill(w)
	s := watch(a)
	const read = "query($id: ID!) { user(id: $id) { id email } }"
	var others, writers sync.WaitGroup
	stop := make(chan struct{})
	for range 12 {
		others.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					a.do(read, vars{"id": idOf("user", w.users[0].ID)})
				}
			}
		})
	}
	for i := 1; i <= 4; i++ {
		id := idOf("user", w.users[i].ID)
		writers.Go(func() {
			for n := range 100 {
				email := fmt.Sprintf("%d.%d@example.com", i, n)
				a.do("mutation($id: ID!, $to: String) { updateUser(id: $id, input: {email: $to}) { user { id } } }", vars{"id": id, "to": email})
				if got := a.do(read, vars{"id": id}).at("user.email"); got != email {
					t.Errorf("after %s was stored, %v was read", email, got)
				}
			}
		})
	}
	writers.Wait()
	close(stop)
	others.Wait()
	if !s.shared() {
		t.Error("no statement was shared")
	}
}
