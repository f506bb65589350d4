package httpserver

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
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

// newFull returns the routes of a server that is full until the limiter is released once.
func newFull(t *testing.T, log slog.Handler, origins ...string) (http.Handler, *admission.Limiter) {
	t.Helper()
	db, err := database.Open("sqlite::memory:", database.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	limiter := admission.New(1, 0, time.Hour)
	if err := limiter.Acquire(t.Context()); err != nil {
		t.Fatal(err)
	}
	answer := func(text string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(text)) }
	}
	return Routes(Parts{
		API: answer("reached"), Admission: limiter, Ready: answer("ready"), Origins: origins,
		Metrics: metrics.New(db), Log: slog.New(log),
	}), limiter
}

// TestLoadShedding sends requests to a full server. Operations are refused in the media type that
// they accept, and all others are answered as always.
func TestLoadShedding(t *testing.T) {
	t.Parallel()
	h, limiter := newFull(t, slog.DiscardHandler, trusted)
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
	page := askFrom(h, "GET", "/metrics").Body.String()
	for _, line := range []string{`forge_refused_total{limit="overload"} 4`, `forge_http_requests_total{code="503",route="/graphql"} 4`,
		`forge_operations_total{code="UNAVAILABLE",operation="none"} 4`} {
		if !strings.Contains(page, line+"\n") {
			t.Errorf("/metrics has no %s", line)
		}
	}
	limiter.Release()
	if w := askFrom(h, "POST", "/graphql"); w.Body.String() != "reached" {
		t.Errorf("when there is a place: %d %s", w.Code, w.Body)
	}
}

// TestLoadSheddingHeaders checks that a refusal has the same headers for browsers as an answer of
// the API.
func TestLoadSheddingHeaders(t *testing.T) {
	t.Parallel()
	h, limiter := newFull(t, slog.DiscardHandler, trusted)
	requests := [][]string{nil, {"Origin", trusted}, {"Origin", "HTTPS://APP.example.com"}, {"Origin", evil}}
	var refused []http.Header
	for _, headers := range requests {
		refused = append(refused, askFrom(h, "GET", "/graphql", headers...).Header())
	}
	limiter.Release()
	for i, headers := range requests {
		want := askFrom(h, "GET", "/graphql", headers...).Header()
		for _, name := range []string{"Access-Control-Allow-Origin", "Access-Control-Expose-Headers", "Vary", "X-Content-Type-Options",
			"Content-Security-Policy", "Cross-Origin-Resource-Policy"} {
			if !slices.Equal(refused[i][name], want[name]) {
				t.Errorf("%v: %s is %q, want %q", headers, name, refused[i][name], want[name])
			}
		}
	}
}

// TestLoadSheddingLog checks that one line of the log counts all refusals of its time, and that
// later ones have another line.
func TestLoadSheddingLog(t *testing.T) {
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
			time.Sleep(2 * logEvery)
			synctest.Wait()
		}
	})
	var counts []float64
	for line := range strings.Lines(log.String()) {
		var l struct {
			Level    string
			Requests float64
		}
		if err := json.Unmarshal([]byte(line), &l); err != nil || l.Level != "WARN" {
			t.Errorf("%v: %s", err, line)
		}
		counts = append(counts, l.Requests)
	}
	if !slices.Equal(counts, []float64{1000, 1}) {
		t.Errorf("the log counts %v, want 1000 and 1", counts)
	}
}

// TestLoadSheddingPace sends more requests at once than may wait. One is refused each interval, and
// those that would have to wait too long at once.
func TestLoadSheddingPace(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h, _ := newFull(t, slog.DiscardHandler)
		const paced = int(maxPace/paceInterval) + 1
		start := time.Now()
		var mu sync.Mutex
		took := map[time.Duration]int{}
		var wg sync.WaitGroup
		for range paced + 10 {
			wg.Go(func() {
				h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("POST", "/graphql", nil))
				mu.Lock()
				defer mu.Unlock()
				took[time.Since(start)]++
			})
		}
		wg.Wait()
		for i := range paced {
			want := 1
			if i == 0 {
				want += 10
			}
			if at := time.Duration(i) * paceInterval; took[at] != want {
				t.Fatalf("%d were answered after %s, want %d", took[at], at, want)
			}
		}
	})
}

// dialPost sends the headers of a POST, whose body has the given length, on a new connection.
func dialPost(t *testing.T, address string, length int) (net.Conn, *bufio.Reader) {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	_, err = fmt.Fprintf(conn, "POST /graphql HTTP/1.1\r\nHost: forge\r\n"+
		"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n", length)
	if err != nil {
		t.Fatal(err)
	}
	return conn, bufio.NewReader(conn)
}

// mustRespond reads an answer, and checks its status.
func mustRespond(t *testing.T, r *bufio.Reader, status int) {
	t.Helper()
	res, err := http.ReadResponse(r, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Discard(int(res.ContentLength)); err != nil {
		t.Fatal(err)
	}
	if res.StatusCode != status {
		t.Errorf("status %d, want %d", res.StatusCode, status)
	}
}

// TestLoadSheddingUnread sends the headers of a request to a full server: the answer comes before
// the body, and the connection can be used again after the body.
func TestLoadSheddingUnread(t *testing.T) {
	t.Parallel()
	const body = `{"query":"{ hello }"}`
	h, limiter := newFull(t, slog.DiscardHandler)
	server := httptest.NewServer(h)
	defer server.Close()
	conn, answers := dialPost(t, server.Listener.Addr().String(), len(body))
	mustRespond(t, answers, 503)
	limiter.Release()
	if _, err := fmt.Fprintf(conn, "%sGET /graphql?query={hello} HTTP/1.1\r\nHost: forge\r\n\r\n", body); err != nil {
		t.Fatal(err)
	}
	mustRespond(t, answers, 200)
}

// TestLoadSheddingLarge announces a body that is too large to be skipped: the answer comes at once,
// and the connection ends.
func TestLoadSheddingLarge(t *testing.T) {
	t.Parallel()
	h, _ := newFull(t, slog.DiscardHandler)
	server := httptest.NewServer(h)
	defer server.Close()
	_, answers := dialPost(t, server.Listener.Addr().String(), 1<<20)
	mustRespond(t, answers, 503)
	if _, err := answers.ReadByte(); !errors.Is(err, io.EOF) {
		t.Errorf("after the answer: %v, want the end of the connection", err)
	}
}
