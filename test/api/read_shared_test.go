package api_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"forge/internal/entity"
	"forge/internal/viewer"
	"forge/test/dbtest"
	"forge/test/gqltest"
)

// TestSharedReads has many clients ask for the same with different arguments and as different
// viewers, until statements have been shared. Each client must get the answer that it would get
// alone.
func TestSharedReads(t *testing.T) {
	t.Parallel()
	url, w := dbtest.Postgres(t), makeWorld()
	a := newAPI(t, url)
	a.fill(w)
	gqltest.Eventually(t, "a database that is near", func() error { // a busy machine may make it seem distant
		a = newAPI(t, url)
		if a.Must("{ teams { totalCount } }", nil); a.db.Distant() {
			return errors.New("it seems distant")
		}
		return nil
	})
	s := watch(a)
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
		got := a.Must("{ list: "+list+"(first: 100) { edges { cursor } } }", nil)
		for i := range got.Len("list.edges") {
			of = append(of, vars{"c": got.Text(fmt.Sprintf("list.edges.%d.cursor", i))})
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
		"own orders by":     {"{ orders(first: 5, orderBy: {field: USER_USERNAME}) { edges { cursor node { id } } } }", []vars{nil}, users},
		"own orders after":  {"query($c: Cursor) { orders(first: 3, after: $c) { edges { cursor node { id } } } }", cursors("orders"), users},
		"heroes after":      {"query($c: Cursor) { heroes(first: 4, after: $c) { edges { cursor node { name } } pageInfo { hasNextPage } } }", cursors("heroes"), all},
		"the same":          {"{ users(first: 5) { nodes { username heroes(first: 3) { nodes { name team { name } } } } totalCount } }", []vars{nil}, all},
		"the same variable": {"query($n: Int, $c: Cursor) { heroes(first: $n, after: $c) { nodes { name owner { username email } } } }", sizes(cursors("heroes")[:3]), all},
		"the same one":      {"query($id: ID!) { user(id: $id) { username orders(first: 2) { nodes { items { quantity product { name } } } } } }", usersByID[1:5], users},
		"teams before":      {"query($c: Cursor) { teams(last: 2, before: $c) { nodes { name } pageInfo { hasPreviousPage } } }", cursors("teams"), all},
	} {
		t.Run(name, func(t *testing.T) {
			type question struct {
				who viewer.Viewer
				v   vars
			}
			type answered struct {
				told       string
				statements int
			}
			var unshared []answered
			var questions []question
			s.clear()
			ask := func(q question) string {
				return withoutCost(a.as(q.who).Do(c.query, q.v))
			}
			for _, who := range c.viewers {
				for _, v := range c.arguments {
					questions = append(questions, question{who, v})
					unshared = append(unshared, answered{ask(question{who, v}), s.clear()})
				}
			}
			gqltest.Eventually(t, name, func() error {
				var statements atomic.Int64
				inACrowd(func(int) {
					i := rand.IntN(len(questions))
					statements.Add(int64(unshared[i].statements))
					if got := ask(questions[i]); got != unshared[i].told {
						t.Errorf("%v as %v: got %s\nunshared %s", questions[i].v, questions[i].who, got, unshared[i].told)
					}
				})
				return s.mustBeShared(int(statements.Load()))
			})
		})
	}
}

// clients is how many clients ask at once, and each is how often one of them asks.
const clients, each = 24, 20

// inACrowd has all clients call ask at once. who is the number of the client.
func inACrowd(ask func(who int)) {
	var asking sync.WaitGroup
	for who := range clients {
		asking.Go(func() {
			for range each {
				ask(who)
			}
		})
	}
	asking.Wait()
}

// sizes returns the given arguments, each with several page sizes.
func sizes(list []vars) (all []vars) {
	for _, v := range list {
		all = append(all, vars{"n": 2, "c": v["c"]}, vars{"n": 3, "c": v["c"]})
	}
	return all
}

// clear forgets the statements that have run, and returns how many there were.
func (s *watched) clear() (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n, s.ran = len(s.ran), nil
	return n
}

// shared reports whether something was read for several requests since the last clear: there is a
// statement with lists, or there are fewer statements than without sharing.
func (s *watched) shared(unshared int) bool {
	s.mu.Lock()
	batched := slices.ContainsFunc(s.ran, func(text string) bool { return strings.Contains(text, "WITH ORDINALITY AS p(a0") })
	s.mu.Unlock()
	return 0 < unshared && s.clear() < unshared || batched
}

// mustBeShared returns an error if nothing was read for several requests.
func (s *watched) mustBeShared(unshared int) error {
	if !s.shared(unshared) {
		return errors.New("nothing was shared")
	}
	return nil
}

// TestSharedReadsSeeWhatWasStored reads what was just stored, while others ask for the same. It
// must not get the rows of a statement that began before.
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
					a.Do(read, vars{"id": idOf("user", w.users[0].ID)})
				}
			}
		})
	}
	for i := 1; i <= 4; i++ {
		id := idOf("user", w.users[i].ID)
		writers.Go(func() {
			for n := range 100 {
				email := fmt.Sprintf("%d.%d@example.com", i, n)
				a.Do("mutation($id: ID!, $to: String) { updateUser(id: $id, input: {email: $to}) { user { id } } }", vars{"id": id, "to": email})
				if got := a.Do(read, vars{"id": id}).At("user.email"); got != email {
					t.Errorf("after %s was stored, %v was read", email, got)
				}
			}
		})
	}
	writers.Wait()
	close(stop)
	others.Wait()
	if !s.shared(0) && !a.db.Distant() { // which a database on a busy machine can be
		t.Error("no statement was shared")
	}
}

// TestReadsUnshared asks for the same many times at once, with sharing turned off.
func TestReadsUnshared(t *testing.T) {
	t.Parallel()
	a := newAPI(t, dbtest.Postgres(t))
	a.fill(makeWorld())
	cfg := usual()
	cfg.UnsharedReads = true
	a.configure(cfg)
	s := watch(a)
	for _, query := range []string{"{ users(first: 3) { nodes { id } } }", "{ users(first: 3) { nodes { heroes { nodes { id } } } } }"} {
		a.Must(query, nil)
		statements := s.clear()
		inACrowd(func(int) { a.Do(query, nil) })
		if n := s.clear(); n != clients*each*statements {
			t.Errorf("%s: %d statements for %d requests, want %d for each", query, n, clients*each, statements)
		}
	}
}

// TestSharedReadsOfAnotherContext asks for the same with different contexts, for which an
// interceptor writes different statements, or different conditions.
func TestSharedReadsOfAnotherContext(t *testing.T) {
	t.Parallel()
	a := newAPI(t, dbtest.Postgres(t))
	a.fill(makeWorld())
	s := watch(a)
	for _, query := range []string{
		"{ users(first: 100) { nodes { username heroes { nodes { name } } } } }",
		`{ heroes(first: 100, where: {hasOwnerWith: [{usernameHasPrefix: ""}]}) { totalCount nodes { name } } }`,
	} {
		ask := func(who int) string {
			ctx := t.Context()
			if who%2 > 0 {
				ctx = entity.WithDeleted(ctx)
			}
			got := a.Send(ctx, query, nil)
			if !got.OK() {
				t.Error(got)
			}
			return withoutCost(got)
		}
		s.clear()
		unshared := []string{ask(0), ask(1)}
		if unshared[0] == unshared[1] {
			t.Fatalf("%s: deleted users make no difference", query)
		}
		statements := s.clear() / 2
		gqltest.Eventually(t, query, func() error {
			inACrowd(func(i int) {
				if got := ask(i); got != unshared[i%2] {
					t.Errorf("%s: with deleted users %t: got %s", query, i%2 > 0, got)
				}
			})
			return s.mustBeShared(clients * each * statements)
		})
	}
}
