package api_test

import (
	"context"
	"log/slog"
	"net/http"
	"runtime"
	"testing"
	"time"

	"forge/ent"
	"forge/graph"
	"forge/internal/changes"
	"forge/internal/database"
	"forge/internal/gqlexec"
	"forge/internal/idempotency"
	"forge/internal/password"
	"forge/internal/session"
	"forge/internal/unit"
	"forge/internal/viewer"
	"forge/internal/webhook"
	"forge/test/gqltest"
)

// api is a server on a database of its own, with a client.
type api struct {
	*gqltest.Client // sends as self
	self            viewer.Viewer
	t               testing.TB
	db              *database.DB
	log             *slog.Logger
	handler         http.Handler  // answers the viewer of a request's context
	feed            *changes.Feed // of a server that follows the log of changes

	hooks *webhook.Webhooks // nil if the API has no webhooks

	// Of an API that people sign in to; see session_test.go.
	issuer      *minted
	passwords   *password.Hasher
	revocations *session.Revocations
}

// config says how to make a server of the API. Any part of it may be missing.
type config struct {
	gqlexec.Options
	graph.Resolver
	// adapt changes the application before it is served.
	adapt func(*gqlexec.API)
}

// newServer returns the handler of the API on db.
func newServer(db *database.DB, cfg config, log *slog.Logger) *gqlexec.Handler {
	if cfg.Passwords == nil {
		cfg.Passwords = password.New(password.Cost{}, 0, 0)
	}
	app := cfg.Resolver.API()
	if cfg.adapt != nil {
		cfg.adapt(&app)
	}
	return gqlexec.New(app, db, cfg.Options, log)
}

// usual returns the configuration that most tests use.
func usual() config {
	return config{Options: gqlexec.Options{Development: true, IdempotencyTTL: time.Hour}}
}

type vars = gqltest.Vars

// newAPI returns an API on a database that package dbtest made. Its client is an administrator.
func newAPI(t testing.TB, url string) *api {
	t.Helper()
	return newConfiguredAPI(t, url, usual())
}

// newConfiguredAPI is like newAPI, with another configuration.
func newConfiguredAPI(t testing.TB, url string, cfg config) *api {
	t.Helper()
	a := newBareAPI(t, url)
	a.self = viewer.System
	a.configure(cfg)
	return a
}

// newBareAPI opens the database at url. The result serves nothing yet.
func newBareAPI(t testing.TB, url string) *api {
	t.Helper()
	db, err := database.Open(url, database.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return &api{t: t, db: db, log: slog.New(slog.NewTextHandler(t.Output(), nil))}
}

// configure replaces the server by one with another configuration.
func (a *api) configure(cfg config) { a.serve(newServer(a.db, cfg, a.log)) }

// serve replaces the server by a handler.
func (a *api) serve(handler http.Handler) {
	a.handler = handler
	a.Client = a.as(a.self)
}

// as returns a client whose requests come from the viewer.
func (a *api) as(v viewer.Viewer) *gqltest.Client { return newClient(a.t, a.handler, v) }

// newClient returns a client of a handler. Its requests come from the viewer.
func newClient(t testing.TB, handler http.Handler, v viewer.Viewer) *gqltest.Client {
	return gqltest.NewHandler(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		handler.ServeHTTP(w, r.WithContext(viewer.NewContext(r.Context(), v)))
	}))
}

// rule sends an operation as an administrator.
func (a *api) rule(query string, v vars) gqltest.Answer {
	a.t.Helper()
	return a.as(viewer.System).Do(query, v)
}

// from returns a client with the given IP address.
func (a *api) from(address string) *gqltest.Client {
	return gqltest.NewHandler(a.t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.RemoteAddr = address + ":1234"
		a.handler.ServeHTTP(w, r.WithContext(viewer.NewContext(r.Context(), a.self)))
	}))
}

// under sends a mutation under an idempotency key, and returns the body of the answer.
func (a *api) under(key, query string, v vars) string {
	a.t.Helper()
	return a.With(idempotency.Header, key).Do(query, v).Body
}

// measure sends a request. It returns the answer, and how many bytes of memory the server allocated
// for it, including those that were freed.
func (a *api) measure(request gqltest.Request) (got gqltest.Answer, allocated uint64) {
	a.t.Helper()
	measured := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		a.handler.ServeHTTP(w, r)
		runtime.ReadMemStats(&after)
		allocated = after.TotalAlloc - before.TotalAlloc
	})
	got = newClient(a.t, measured, a.self).SendRequest(a.t.Context(), request)
	if got.Err != nil {
		a.t.Fatal(got)
	}
	return got, allocated
}

// stored calls read with a client of the database, in a unit of work that is committed. Tests use
// it to look at what is stored, and for changes that the API does not offer.
func (a *api) stored(read func(context.Context, *ent.Client)) {
	a.t.Helper()
	u := unit.New(a.db, unit.Write)
	defer u.Rollback()
	read(viewer.NewContext(unit.NewContext(a.t.Context(), u), viewer.System), ent.UnitClient(u))
	if err := u.Commit(a.t.Context()); err != nil {
		a.t.Error(err)
	}
}
