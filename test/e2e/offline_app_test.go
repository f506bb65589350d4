package e2e

import (
	"bytes"
	"crypto/rand"
	"io"
	randv2 "math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"forge/ent"
	"forge/internal/changes"
	"forge/internal/database"
	"forge/test/dbtest"
	"forge/test/process"
)

// TestOfflineApp uses an application that works without a network in a browser, as docs/offline.md
// describes it. It is cut off from its server at every point, in known ways and at random. Then its
// rows have to be those of the server, and each mutation has to be carried out once.
func TestOfflineApp(t *testing.T) {
	const dir = "../../playground"
	needChromium(t)
	install(t, dir)
	install(t, clients)
	dbtest.Each(t, func(t *testing.T, databaseURL string) {
		e := newEdge(t, databaseURL)
		front := httptest.NewServer(e)
		t.Cleanup(front.Close)
		env := []string{"FORGE_URL=" + onLocalhost(front.URL), "DIRECT_URL=" + e.forge.String()}
		if soak {
			env = append(env, "OFFLINE_SOAK=1", "OFFLINE_TIMEOUT=7200000")
		}
		npm(t, dir, env, "run", "test:offline")
	})
}

// edge serves the application and passes its requests on to Forge, unless it is told otherwise.
type edge struct {
	t     *testing.T
	files http.Handler
	forge *url.URL
	pass  *httputil.ReverseProxy
	db    *database.DB
	start func() *process.Server

	mu     sync.Mutex
	mode   string
	seen   map[string]bool // the bodies of requests that were cut off, or might have been
	random *randv2.Rand
	server *process.Server
}

func newEdge(t *testing.T, databaseURL string) *edge {
	address := free(t)
	env := []string{"AUTH=on", "AUTH_SECRET=" + rand.Text() + rand.Text(), "ACCESS_TOKEN_TTL=2s", "DEMO=on", "MIGRATE=on", "SESSION_COOKIE=on"}
	e := &edge{t: t, mode: "pass", seen: map[string]bool{}, forge: &url.URL{Scheme: "http", Host: address}, random: randv2.New(randv2.NewPCG(1, 2))}
	e.start = func() *process.Server { return startAt(t, address, databaseURL, env) }
	e.server = e.start()
	e.pass = httputil.NewSingleHostReverseProxy(e.forge)
	e.pass.ErrorHandler = func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) }
	files := http.NewServeMux()
	files.Handle("/", http.FileServer(http.Dir(filepath.Join(clients, "offline-app"))))
	files.HandleFunc("/dexie.mjs", file("node_modules", "dexie", "dist", "modern", "dexie.min.mjs"))
	files.HandleFunc("/spa.mjs", file("accounts", "spa.mjs"))
	files.HandleFunc("POST /edge/", e.told)
	files.HandleFunc("/graphql", e.graphql)
	e.files = files
	var err error
	if e.db, err = database.Open(databaseURL, database.Options{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.db.Close() })
	return e
}

// file serves a file of the clients' folder as a module.
func file(path ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		text, err := os.ReadFile(filepath.Join(append([]string{clients}, path...)...))
		if err != nil {
			panic(err)
		}
		w.Header().Set("Content-Type", "text/javascript")
		_, _ = w.Write(text)
	}
}

// ServeHTTP answers nothing but the test itself while the mode is "down".
func (e *edge) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	e.mu.Lock()
	down := e.mode == "down"
	e.mu.Unlock()
	if down && !strings.HasPrefix(r.URL.Path, "/edge/") {
		panic(http.ErrAbortHandler)
	}
	e.files.ServeHTTP(w, r)
}

// told does what the test in the browser asks for: /edge/MODE changes how requests are treated.
func (e *edge) told(_ http.ResponseWriter, r *http.Request) {
	var err error
	switch what := strings.TrimPrefix(r.URL.Path, "/edge/"); what {
	case "expire": // all cursors
		log := changes.New(e.db.DB, e.db.Dialect, ent.Entities)
		if err = log.Tick(r.Context()); err == nil {
			_, err = log.Sweep(r.Context(), time.Hour, 0)
		}
	case "hide": // an order of the user, which becomes the administrator's
		_, err = e.db.ExecContext(r.Context(), `UPDATE orders SET user_id = (SELECT id FROM users WHERE username = 'admin')
			WHERE id IN (SELECT orders.id FROM orders JOIN users ON users.id = user_id WHERE username = 'user' LIMIT 1)`)
	default:
		e.mu.Lock()
		e.mode = what
		e.mu.Unlock()
	}
	if err != nil {
		e.t.Error(err)
		panic(http.ErrAbortHandler)
	}
}

// graphql passes a request on. Unless the mode is "pass", each one is cut off at some point when it
// comes for the first time.
func (e *edge) graphql(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	switch e.modeOf(string(body)) {
	case "unsent":
		panic(http.ErrAbortHandler)
	case "lost":
		e.pass.ServeHTTP(httptest.NewRecorder(), r)
		panic(http.ErrAbortHandler)
	case "kill":
		e.kill(r)
		panic(http.ErrAbortHandler)
	}
	e.pass.ServeHTTP(w, r)
}

func (e *edge) modeOf(body string) string {
	e.mu.Lock()
	defer e.mu.Unlock()
	switch first := !e.seen[body]; {
	case e.mode == "pass" || e.mode == "down" || e.mode != "kill" && !first:
		return "pass"
	case e.mode == "random":
		e.seen[body] = true
		return [...]string{"pass", "unsent", "lost"}[e.random.IntN(3)]
	}
	e.seen[body] = true
	return e.mode
}

// kill kills Forge while a request runs, and starts it again.
func (e *edge) kill(r *http.Request) {
	e.mu.Lock()
	defer e.mu.Unlock()
	pause := time.Duration(e.random.IntN(10)) * time.Millisecond
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		defer func() { _ = recover() }()
		e.pass.ServeHTTP(httptest.NewRecorder(), r)
	}()
	time.Sleep(pause)
	e.server.Kill()
	<-ended
	e.server, e.mode = e.start(), "pass"
}
