// Package api_test tests the API over its handler, on a database of each kind. The tests here go
// over all entities: they need no change for a new one.
package api_test

import (
	"log/slog"
	"net/http"
	"testing"

	"forge/ent"
	"forge/graph"
	"forge/internal/application"
	"forge/internal/database"
	"forge/internal/gqlexec"
	"forge/internal/password"
	"forge/internal/unit"
	"forge/internal/viewer"
	"forge/test/dbtest"
	"forge/test/differ"
	"forge/test/fixture"
	"forge/test/gqltest"
)

type vars = gqltest.Vars

// api is a server on a database of its own, with a client that is an administrator.
type api struct {
	*gqltest.Client
	db      *database.DB
	t       testing.TB
	handler http.Handler
}

// as returns a client whose requests come from a viewer.
func (a *api) as(v viewer.Viewer) *gqltest.Client {
	return gqltest.NewHandler(a.t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a.handler.ServeHTTP(w, r.WithContext(viewer.NewContext(r.Context(), v)))
	}))
}

// newAPI returns an API on a database that package dbtest made.
func newAPI(t testing.TB, url string) *api {
	t.Helper()
	db, err := database.Open(url, database.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	a := &api{db: db, t: t, handler: gqlexec.New(resolver().API(), db, gqlexec.Options{Development: true}, log)}
	a.Client = a.as(viewer.System)
	return a
}

func resolver() *graph.Resolver {
	return &graph.Resolver{Services: application.Services{Passwords: password.New(password.Cost{}, 0, 0)}}
}

// TestUsers is an example: it makes a user, and refuses another one with the same name.
func TestUsers(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) {
		a := newAPI(t, url)
		const create = `mutation($name: String!) { createUser(input: {username: $name}) { user { id username } } }`
		if got := a.Must(create, vars{"name": " ada "}).Text("createUser.user.username"); got != "ada" {
			t.Errorf("the user has the name %q, want ada", got)
		}
		if got := a.Do(create, vars{"name": "ada"}); got.Code() != "CONFLICT" {
			t.Errorf("a second ada: %s, want CONFLICT", got)
		}
		if got := a.Do(create, vars{"name": " "}); got.Code() != "BAD_USER_INPUT" || got.Extension("field") != "input.username" {
			t.Errorf("no name: %s, want BAD_USER_INPUT for input.username", got)
		}
	})
}

// TestDifferential makes operations from seeds, and runs each through the read engine and field by
// field. Both must answer the same.
func TestDifferential(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) {
		a := newAPI(t, url)
		if _, err := fixture.Fill(t.Context(), a.db, 20); err != nil {
			t.Fatal(err)
		}
		d := differ.New(t.Context(), differ.App{
			API:    resolver().API(),
			Client: func(u *unit.Unit) any { return ent.UnitClient(u) },
			Inputs: map[string][]any{
				"email":    {"a@b.example", "A@b.example", "none"},
				"password": nil, // hashing takes its time
			},
		}, a.db)
		d.TryMany(0, 1000, d.NewCoverage(), func(seed uint64, difference string) {
			t.Errorf("seed %d: the least that differs:\n%s", seed, difference)
		})
	})
}
