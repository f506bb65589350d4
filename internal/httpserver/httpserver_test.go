package httpserver

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"forge/internal/database"
	"forge/internal/metrics"
)

// newServer serves api, without a playground. It returns the server and its log, which may be read
// once the server is closed.
func newServer(t *testing.T, api http.HandlerFunc) (*httptest.Server, *bytes.Buffer) {
	t.Helper()
	db, err := database.Open("sqlite::memory:", database.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	log := new(bytes.Buffer)
	srv := httptest.NewUnstartedServer(Routes(Parts{
		API:     api,
		Ready:   http.NotFoundHandler(),
		Metrics: metrics.New(db),
		Log:     slog.New(slog.NewJSONHandler(log, nil)),
	}))
	srv.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, 0)
	srv.Start()
	t.Cleanup(srv.Close)
	return srv, log
}

// mustRead reads r to its end.
func mustRead(t *testing.T, r io.Reader) string {
	t.Helper()
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestRoutesNoStore checks that no answer may be stored by proxies, whether its path exists or not.
func TestRoutesNoStore(t *testing.T) {
	t.Parallel()
	srv, _ := newServer(t, func(http.ResponseWriter, *http.Request) {})
	for path, status := range map[string]int{"/metrics": 200, "/healthz": 200, "/readyz": 404, "/graphql": 200, "/": 404, "/made/up": 404} {
		res, err := http.Get(srv.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if got := res.Header.Get("Cache-Control"); res.StatusCode != status || got != "no-store" {
			t.Errorf("%s: %d, Cache-Control %q, want %d and no-store", path, res.StatusCode, got, status)
		}
	}
}

// TestObserve checks the line of the log and the counter of each kind of request.
func TestObserve(t *testing.T) {
	t.Parallel()
	srv, log := newServer(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Query().Get("do") {
		case "fail":
			w.WriteHeader(http.StatusTeapot)
			w.WriteHeader(http.StatusOK) // too late
		case "panic":
			panic("as it happens")
		case "abort":
			_, _ = w.Write([]byte("a part"))
			panic(http.ErrAbortHandler)
		}
	})
	tests := []struct {
		method, path, query string
		status              float64
		counter             string
	}{
		{"POST", "/graphql", "", 200, `forge_http_requests_total{code="200",route="/graphql"} 1`},
		{"GET", "/graphql", "?do=fail", 418, `forge_http_requests_total{code="418",route="/graphql"} 1`},
		{"POST", "/graphql", "?do=panic", 500, `forge_http_requests_total{code="500",route="/graphql"} 2`},
		{"POST", "/graphql", "?do=abort", 500, `forge_http_requests_total{code="500",route="/graphql"} 2`},
		{"GET", "/healthz", "", 200, `forge_http_requests_total{code="200",route="GET /healthz"} 1`},
		{"POST", "/healthz", "", 405, `forge_http_requests_total{code="405",route="none"} 1`},
		{"GET", "/", "?secret=5ecret", 404, `forge_http_requests_total{code="404",route="none"} 2`},
		{"GET", "/made/up", "", 404, `forge_http_requests_total{code="404",route="none"} 2`},
	}
	for _, tt := range tests {
		req, err := http.NewRequest(tt.method, srv.URL+tt.path+tt.query, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set(requestIDHeader, "id-of-"+tt.path)
		if res, err := http.DefaultClient.Do(req); err == nil {
			res.Body.Close()
		}
	}
	res, err := http.Get(srv.URL + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	page := mustRead(t, res.Body)
	res.Body.Close()
	srv.Close() // afterwards nothing writes to the log

	lines := slices.DeleteFunc(strings.Split(strings.TrimSpace(log.String()), "\n"), func(line string) bool {
		return !strings.Contains(line, `"msg":"request"`) // TestObserverPanics checks the others
	})
	if len(lines) != len(tests)+1 {
		t.Fatalf("%d lines for %d requests:\n%s", len(lines), len(tests)+1, log)
	}
	for i, tt := range tests {
		var line map[string]any
		if err := json.Unmarshal([]byte(lines[i]), &line); err != nil {
			t.Fatal(err)
		}
		path := tt.path
		if path == "/made/up" {
			path = "/…" // unknown paths are not logged
		}
		if line["method"] != tt.method || line["path"] != path || line["status"] != tt.status ||
			line["requestId"] != "id-of-"+tt.path || line["durationMs"] == nil {
			t.Errorf("%s %s%s is logged as %s", tt.method, tt.path, tt.query, lines[i])
		}
		if !strings.Contains(page, tt.counter+"\n") {
			t.Errorf("%s %s%s: the metrics are without %s", tt.method, tt.path, tt.query, tt.counter)
		}
	}
	if strings.Contains(log.String(), "5ecret") {
		t.Errorf("the log has what is behind the path:\n%s", log)
	}
}

// inFlight serves a handler that answers after letGo, and returns when a request has reached it.
// After stop the server ends.
func inFlight(t *testing.T, delay, drain time.Duration) (letGo, stop func(), answered, ended chan error, addr string) {
	t.Helper()
	l, err := Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	reached, held := make(chan struct{}), make(chan struct{})
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		close(reached)
		<-held
		_, _ = w.Write([]byte("done"))
	})
	answered, ended = make(chan error, 1), make(chan error, 1)
	go func() {
		ended <- serve(ctx, l, handler, nil, Connection{}, slog.New(slog.DiscardHandler), delay, drain)
	}()
	go func() {
		res, err := http.Get(URL(l))
		if err == nil {
			defer res.Body.Close()
			if body, readErr := io.ReadAll(res.Body); readErr != nil || string(body) != "done" {
				err = errors.Join(readErr, errors.New("the answer is "+string(body)))
			}
		}
		answered <- err
	}()
	<-reached
	return func() { close(held) }, stop, answered, ended, l.Addr().String()
}

// TestServeDrain ends a server with a request in flight, and checks that the request is answered.
func TestServeDrain(t *testing.T) {
	t.Parallel()
	letGo, stop, answered, ended, addr := inFlight(t, 0, time.Minute)
	stop()
	// The address is free as soon as no new connection is accepted.
	for {
		l, err := Listen(addr)
		if err == nil {
			l.Close()
			break
		}
		time.Sleep(time.Millisecond)
	}
	select {
	case err := <-ended:
		t.Fatalf("the server ended with a request in flight: %v", err)
	default:
	}
	letGo()
	if err := <-answered; err != nil {
		t.Errorf("the request in flight: %v", err)
	}
	if err := <-ended; err != nil {
		t.Errorf("the end: %v", err)
	}
}

// TestServeDrainCutOff ends a server whose request in flight takes too long.
func TestServeDrainCutOff(t *testing.T) {
	t.Parallel()
	letGo, stop, answered, ended, _ := inFlight(t, 0, time.Millisecond)
	defer letGo()
	stop()
	if err := <-answered; err == nil {
		t.Error("the request was answered before its handler did")
	}
	if err := <-ended; err != nil {
		t.Errorf("the end: %v", err)
	}
}

// TestListen checks the URL of a listener, and the errors of addresses that cannot be used.
func TestListen(t *testing.T) {
	t.Parallel()
	l, err := Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if want := "http://" + l.Addr().String(); URL(l) != want {
		t.Errorf("URL %s, want %s", URL(l), want)
	}
	if _, err := Listen(l.Addr().String()); err == nil || err.Error() != "another program listens on "+l.Addr().String()+" already; PORT or ADDR names another place: --port=0 takes any that is free" {
		t.Errorf("a port that is taken: %v", err)
	}
	if _, err := Listen("192.0.2.1:0"); err == nil || strings.Contains(err.Error(), "192.0.2.1") {
		t.Errorf("an address of another machine: %v, want an error that leaves the address to the caller", err)
	}
	everywhere, err := Listen(":0")
	if err != nil {
		t.Fatal(err)
	}
	defer everywhere.Close()
	if _, port, _ := net.SplitHostPort(everywhere.Addr().String()); URL(everywhere) != "http://localhost:"+port {
		t.Errorf("URL %s, want one that a browser can open", URL(everywhere))
	}
}
