package httpserver

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"forge/internal/database"
	"forge/internal/metrics"
)

// TestIsLocal checks the names that browsers send for this machine, and names that other pages may
// have.
func TestIsLocal(t *testing.T) {
	for _, host := range []string{"localhost", "localhost:8080", "LocalHost:1", "forge.localhost", "a.b.localhost:65535", "127.0.0.1", "127.0.0.1:8080",
		"127.8.9.10:80", "[::1]", "[::1]:8080", "[::ffff:127.0.0.1]:80", "localhost:",
		"localhost.", "LocalHost.:8080", "forge.localhost.:80"} {
		if !isLocal(host) {
			t.Errorf("%s is not taken for this machine", host)
		}
	}
	for _, host := range []string{"", "example.com", "example.com:8080", "localhost.example.com", "notlocalhost", ".localhost", "127.0.0.1.example.com",
		"127.0.0.1:8080.example.com", "localhost:80:80", "localhost:example", "192.0.2.1", "0.0.0.0:8080", "[::]:80", "[::1", "[::1]x", "[::1]:x", "::1", "[localhost]",
		"2130706433", "0x7f.1", "127.1", "localhost@example.com", "example.com/localhost ", "localhost..", ".localhost.", "notlocalhost.", "localhost.example.com.", "127.0.0.1.", "."} {
		if isLocal(host) {
			t.Errorf("%s is taken for this machine", host)
		}
	}
	for _, host := range []string{"localhost:8080", "127.0.0.1:8080", "[::1]:8080", "forge.localhost", "example.com"} {
		if n := testing.AllocsPerRun(100, func() { isLocal(host) }); n > 0 {
			t.Errorf("%s: %v allocations", host, n)
		}
	}
}

// TestLocalHost sends requests with other names to a local server: only the probes are answered.
func TestLocalHost(t *testing.T) {
	t.Parallel()
	db, err := database.Open("sqlite::memory:", database.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	answer := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("reached")) })
	parts := Parts{API: answer, Ready: answer, Playground: answer, Docs: answer, Metrics: metrics.New(db), Log: slog.New(slog.DiscardHandler),
		Local: true, Origins: []string{trusted}}
	h := Routes(parts)
	ask := func(h http.Handler, method, host, path string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(method, path, nil)
		r.Host = host
		r.Header.Set("Origin", "http://"+host)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w
	}
	const rebound = "rebound.example:8080"
	for _, at := range []struct{ method, path string }{{"POST", "/graphql"}, {"GET", "/graphql"}, {"OPTIONS", "/graphql"}, {"GET", "/"}, {"GET", "/assets/x.js"}, {"GET", "/docs/"}, {"GET", "/metrics"}} {
		w := ask(h, at.method, rebound, at.path)
		body := w.Body.String()
		if w.Code != http.StatusMisdirectedRequest || !strings.Contains(body, "localhost") || strings.Contains(body, "rebound") || w.Header().Get("X-Content-Type-Options") != "nosniff" ||
			w.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%s %s: %d %s", at.method, at.path, w.Code, body)
		}
		var got struct {
			Errors []struct{ Extensions struct{ Code string } }
		}
		if at.path == "/graphql" && (json.Unmarshal([]byte(body), &got) != nil || len(got.Errors) != 1 || got.Errors[0].Extensions.Code != "FORBIDDEN") {
			t.Errorf("%s %s: %s, want FORBIDDEN", at.method, at.path, body)
		}
		if w := ask(h, at.method, "localhost:8080", at.path); w.Code == http.StatusMisdirectedRequest {
			t.Errorf("%s %s for localhost: %d %s", at.method, at.path, w.Code, w.Body)
		}
	}
	for _, path := range []string{"/healthz", "/readyz"} {
		if w := ask(h, "GET", rebound, path); w.Code != 200 {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
	if got := ask(h, "GET", "localhost", "/metrics").Body.String(); !strings.Contains(got, `forge_refused_total{limit="host"} 7`+"\n") {
		t.Error("the metrics do not count 7 refusals")
	}
	parts.Local = false
	if w := ask(Routes(parts), "POST", rebound, "/graphql"); w.Body.String() != "reached" {
		t.Errorf("where any name will do: %d %s", w.Code, w.Body)
	}
}
