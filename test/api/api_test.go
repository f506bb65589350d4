package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"forge/ent"
	"forge/graph"
	"forge/internal/database"
	"forge/internal/gqlexec"
	"forge/internal/password"
	"forge/internal/unit"
	"forge/internal/viewer"
)

// api is a server on a database of its own, and a client of it.
type api struct {
	t       testing.TB
	db      *database.DB
	log     *slog.Logger
	handler http.Handler
}

// config is what a server of the API is made from. Any part of it may be missing.
type config struct {
	gqlexec.Options
	graph.Resolver
	// adapt changes the application before it is served.
	adapt func(*gqlexec.API)
}

// newServer returns the handler of the API on db.
func newServer(db *database.DB, cfg config, log *slog.Logger) http.Handler {
	if cfg.Passwords == nil {
		cfg.Passwords = password.New(password.Cost{}, 0, 0)
	}
	app := cfg.Resolver.API()
	if cfg.adapt != nil {
		cfg.adapt(&app)
	}
	return gqlexec.New(app, db, cfg.Options, log)
}

// usual returns how most tests configure the API.
func usual() config {
	return config{Options: gqlexec.Options{Development: true, IdempotencyTTL: time.Hour}}
}

type vars = map[string]any

// newAPI serves the database at url, which package dbtest made.
func newAPI(t testing.TB, url string) *api {
	t.Helper()
	db, err := database.Open(url, database.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	return &api{t: t, db: db, log: log, handler: as(viewer.System, newServer(db, usual(), log))}
}

// answer is what came back for one operation.
type answer struct {
	Data   any
	Errors []struct {
		Message    string
		Path       []any
		Extensions map[string]any
	}
	Extensions map[string]any
	body       string
}

// do sends an operation. It may be called by several goroutines.
func (a *api) do(query string, v vars) answer {
	a.t.Helper()
	sent, err := json.Marshal(vars{"query": query, "variables": v})
	if err != nil {
		a.t.Error(err)
	}
	r := httptest.NewRequest("POST", "/graphql", bytes.NewReader(sent))
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	a.handler.ServeHTTP(w, r)
	got := answer{body: w.Body.String()}
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
		a.t.Errorf("the answer to %s is not JSON: %v\n%s", query, err, got.body)
	}
	return got
}

// mustDo is like do and stops the test if there are errors.
func (a *api) mustDo(query string, v vars) answer {
	a.t.Helper()
	got := a.do(query, v)
	if len(got.Errors) > 0 {
		a.t.Fatalf("%s with %v: %s", query, v, got.body)
	}
	return got
}

// String returns the answer as it was sent.
func (a answer) String() string { return a.body }

// at returns what the data has at a path such as "users.nodes.0.username", or nil.
func (a answer) at(path string) any {
	value := a.Data
	for step := range strings.SplitSeq(path, ".") {
		switch v := value.(type) {
		case map[string]any:
			value = v[step]
		case []any:
			i, err := strconv.Atoi(step)
			if err != nil || i < 0 || i >= len(v) {
				return nil
			}
			value = v[i]
		default:
			return nil
		}
	}
	return value
}

// text returns the string that the data has at path, or "".
func (a answer) text(path string) string {
	s, _ := a.at(path).(string)
	return s
}

// number returns the number that the data has at path, or -1.
func (a answer) number(path string) int {
	n, ok := a.at(path).(float64)
	if !ok {
		return -1
	}
	return int(n)
}

// length returns how many elements the list at path has, or -1.
func (a answer) length(path string) int {
	list, ok := a.at(path).([]any)
	if !ok {
		return -1
	}
	return len(list)
}

// code returns extensions.code of the first error, or "" if there is none.
func (a answer) code() string {
	code, _ := a.extension("code").(string)
	return code
}

// extension returns an entry of the first error's extensions, or nil.
func (a answer) extension(name string) any {
	if len(a.Errors) == 0 {
		return nil
	}
	return a.Errors[0].Extensions[name]
}

// statements returns how many statements the operation took.
func (a answer) statements() int {
	cost, _ := a.Extensions["sql"].(map[string]any)
	n, ok := cost["statements"].(float64)
	if !ok {
		return -1
	}
	return int(n)
}

// stored shows what the database has, and stores what read changes, for what the API does not do.
func (a *api) stored(read func(context.Context, *ent.Client)) {
	a.t.Helper()
	u := unit.New(a.db, unit.Write)
	defer u.Rollback()
	read(viewer.NewContext(unit.NewContext(a.t.Context(), u), viewer.System), ent.UnitClient(u))
	if err := u.Commit(a.t.Context()); err != nil {
		a.t.Error(err)
	}
}
