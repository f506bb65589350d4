package httpserver

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"forge/internal/admission"
	"forge/internal/database"
	"forge/internal/metrics"
)

// newFull are the routes of a server that has no place for an operation until the gate's one is left.
func newFull(t *testing.T, log slog.Handler, origins ...string) (http.Handler, *admission.Gate) {
	t.Helper()
	db, err := database.Open("sqlite::memory:", database.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	gate := admission.New(1, 0, time.Hour)
	if err := gate.Enter(t.Context()); err != nil {
		t.Fatal(err)
	}
	answer := func(text string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(text)) }
	}
	return Routes(Parts{
		API: answer("reached"), Gate: gate, Ready: answer("ready"), Origins: origins,
		Metrics: metrics.New(db), Log: slog.New(log),
	}), gate
}

// TestDoor asks a full server: operations are turned away in the media type that they accept, all else is answered as ever.
func TestDoor(t *testing.T) {
	t.Parallel()
	h, gate := newFull(t, slog.DiscardHandler, trusted)
	for _, method := range []string{"GET", "POST"} {
		for _, media := range []string{"application/json", "application/graphql-response+json"} {
			w := askFrom(h, method, "/graphql", "Accept", media)
			var got struct {
				Data   any
				Errors []struct {
					Message    string
					Extensions struct{ Code string }
				}
			}
			if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || len(got.Errors) != 1 || got.Errors[0].Message == "" ||
				got.Errors[0].Extensions.Code != "UNAVAILABLE" || strings.Contains(w.Body.String(), `"data"`) {
				t.Errorf("%s %s: %v %s", method, media, err, w.Body)
			}
			if w.Code != 503 || w.Header().Get("Retry-After") != "1" || w.Header().Get("Content-Type") != media+"; charset=utf-8" {
				t.Errorf("%s %s: %d %v", method, media, w.Code, w.Header())
			}
		}
	}
	if w := askFrom(h, "GET", "/readyz"); w.Body.String() != "ready" {
		t.Errorf("/readyz: %d %s", w.Code, w.Body)
	}
	if w := askFrom(h, "OPTIONS", "/graphql", "Origin", trusted, "Access-Control-Request-Method", "POST"); w.Code != http.StatusNoContent {
		t.Errorf("a preflight: %d %s", w.Code, w.Body)
	}
	told := askFrom(h, "GET", "/metrics").Body.String()
	for _, line := range []string{`forge_refused_total{limit="overload"} 4`, `forge_http_requests_total{code="503",route="/graphql"} 4`,
		`forge_operations_total{code="UNAVAILABLE",operation="none"} 4`} {
		if !strings.Contains(told, line+"\n") {
			t.Errorf("/metrics has no %s", line)
		}
	}
	gate.Leave()
	if w := askFrom(h, "POST", "/graphql"); w.Body.String() != "reached" {
		t.Errorf("when there is a place: %d %s", w.Code, w.Body)
	}
}

// TestDoorHeaders compares the headers that browsers go by with those of an answer of the API: they are the same, but for the case in which
// the API would not have been reached.
func TestDoorHeaders(t *testing.T) {
	t.Parallel()
	h, gate := newFull(t, slog.DiscardHandler, trusted)
	requests := [][]string{nil, {"Origin", trusted}, {"Origin", "HTTPS://APP.example.com"}, {"Origin", evil}}
	var away []http.Header
	for _, headers := range requests {
		away = append(away, askFrom(h, "GET", "/graphql", headers...).Header())
	}
	gate.Leave()
	for i, headers := range requests {
		want := askFrom(h, "GET", "/graphql", headers...).Header()
		for _, name := range []string{"Access-Control-Allow-Origin", "Access-Control-Expose-Headers", "Vary", "X-Content-Type-Options",
			"Content-Security-Policy", "Cross-Origin-Resource-Policy"} {
			if !slices.Equal(away[i][name], want[name]) {
				t.Errorf("%v: %s is %q, want %q", headers, name, away[i][name], want[name])
			}
		}
	}
}

// TestDoorTells turns many away: one line of the log tells of all that came within its time, and another of those after that.
func TestDoorTells(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	h, _ := newFull(t, slog.NewJSONHandler(&log, nil))
	synctest.Test(t, func(*testing.T) {
		for _, n := range []int{1000, 1} {
			var wg sync.WaitGroup
			for range n {
				wg.Go(func() { h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("POST", "/graphql", nil)) })
			}
			wg.Wait()
			time.Sleep(2 * quiet)
			synctest.Wait()
		}
	})
	var told []float64
	for line := range strings.Lines(log.String()) {
		var l struct {
			Level    string
			Requests float64
		}
		if err := json.Unmarshal([]byte(line), &l); err != nil || l.Level != "WARN" {
			t.Errorf("%v: %s", err, line)
		}
		told = append(told, l.Requests)
	}
	if !slices.Equal(told, []float64{1000, 1}) {
		t.Errorf("told of %v, want 1000 and 1", told)
	}
}

// TestDoorHolds has more come at once than may wait: one is answered each time it is one's turn, and those beyond at once.
func TestDoorHolds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h, _ := newFull(t, slog.DiscardHandler)
		const turns = int(longest/spacing) + 1
		start := time.Now()
		var mu sync.Mutex
		took := map[time.Duration]int{}
		var wg sync.WaitGroup
		for range turns + 10 {
			wg.Go(func() {
				h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("POST", "/graphql", nil))
				mu.Lock()
				defer mu.Unlock()
				took[time.Since(start)]++
			})
		}
		wg.Wait()
		for i := range turns {
			want := 1
			if i == 0 {
				want += 10
			}
			if at := time.Duration(i) * spacing; took[at] != want {
				t.Fatalf("%d were answered after %s, want %d", took[at], at, want)
			}
		}
	})
}
