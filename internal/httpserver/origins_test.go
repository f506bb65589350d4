package httpserver

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"forge/internal/database"
	"forge/internal/metrics"
	"forge/internal/telemetry"
)

// newRoutes returns the routes of a server whose API answers "reached" and whose playground "page".
func newRoutes(t *testing.T, origins ...string) http.Handler {
	t.Helper()
	return Routes(newParts(t, origins...))
}

// newParts returns the parts of such a server.
func newParts(t *testing.T, origins ...string) Parts {
	t.Helper()
	db, err := database.Open("sqlite::memory:", database.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	write := func(text string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(text)) }
	}
	return Parts{
		API: write("reached"), Playground: write("page"), Ready: write("ready"), Origins: origins,
		Metrics: metrics.New(db), Log: slog.New(slog.DiscardHandler),
	}
}

// askFrom sends a request to a server on forge.example. headers are names and values in turn.
func askFrom(h http.Handler, method, path string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "http://forge.example"+path, nil)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

const (
	trusted = "https://app.example.com"
	evil    = "https://evil.example"
)

// TestGuardOrigins checks which pages may use the API by POST and by GET, and which may read the
// answer.
func TestGuardOrigins(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name     string
		headers  []string
		postTo   [2]int // the status of a server without origins, and of one with them
		readable bool   // the page may read the answer of the latter
	}{
		{name: "no browser", postTo: [2]int{200, 200}},
		{name: "the same origin", headers: []string{"Sec-Fetch-Site", "same-origin", "Origin", "http://forge.example"}, postTo: [2]int{200, 200}},
		{name: "typed by the user", headers: []string{"Sec-Fetch-Site", "none"}, postTo: [2]int{200, 200}},
		{name: "trusted", headers: []string{"Sec-Fetch-Site", "cross-site", "Origin", trusted}, postTo: [2]int{403, 200}, readable: true},
		{name: "trusted, old browser", headers: []string{"Origin", trusted}, postTo: [2]int{403, 200}, readable: true},
		{name: "another site", headers: []string{"Sec-Fetch-Site", "cross-site", "Origin", evil}, postTo: [2]int{403, 403}},
		{name: "another site, old browser", headers: []string{"Origin", evil}, postTo: [2]int{403, 403}},
		{name: "another host of the site", headers: []string{"Sec-Fetch-Site", "same-site", "Origin", "http://www.forge.example"}, postTo: [2]int{403, 403}},
		{name: "nobody", headers: []string{"Sec-Fetch-Site", "cross-site", "Origin", "null"}, postTo: [2]int{403, 403}},
		{name: "trusted, by another scheme", headers: []string{"Sec-Fetch-Site", "cross-site", "Origin", "http://app.example.com"}, postTo: [2]int{403, 403}},
		{name: "begins like a trusted one", headers: []string{"Sec-Fetch-Site", "cross-site", "Origin", trusted + ".evil.example"}, postTo: [2]int{403, 403}},
		{name: "a form", headers: []string{"Sec-Fetch-Site", "cross-site"}, postTo: [2]int{403, 403}},
	}
	for i, h := range []http.Handler{newRoutes(t), newRoutes(t, "http://localhost:3000", trusted)} {
		for _, tt := range tests {
			post := askFrom(h, "POST", "/graphql", tt.headers...)
			if post.Code != tt.postTo[i] || (post.Body.String() == "reached") != (post.Code == 200) {
				t.Errorf("%s: server %d: a POST: %d %s, want %d", tt.name, i, post.Code, post.Body, tt.postTo[i])
			}
			if post.Code == 403 {
				wantForbidden(t, post)
			}
			get := askFrom(h, "GET", "/graphql", tt.headers...)
			if get.Code != 200 {
				t.Errorf("%s: server %d: a GET: %d %s", tt.name, i, get.Code, get.Body)
			}
			for method, w := range map[string]*httptest.ResponseRecorder{"GET": get, "POST": post} {
				allowed, want := w.Header().Get("Access-Control-Allow-Origin"), ""
				if tt.readable && i == 1 {
					want = trusted
				}
				if allowed != want || w.Header().Get("Access-Control-Allow-Credentials") != "" {
					t.Errorf("%s: server %d: %s: Access-Control-Allow-Origin %q, want %q, without credentials", tt.name, i, method, allowed, want)
				}
				if varies := w.Header().Get("Vary") == "Origin"; varies != (i == 1) {
					t.Errorf("%s: server %d: %s: Vary %q", tt.name, i, method, w.Header().Get("Vary"))
				}
			}
		}
	}
	exposed := askFrom(newRoutes(t, trusted), "GET", "/graphql", "Origin", trusted).Header().Get("Access-Control-Expose-Headers")
	for _, name := range []string{"X-Request-Id", "Retry-After", "Traceparent", "Www-Authenticate"} {
		if !strings.Contains(exposed, name) {
			t.Errorf("a page cannot read %s: %q", name, exposed)
		}
	}
}

// wantForbidden checks that a refusal is a GraphQL error that does not repeat the origin.
func wantForbidden(t *testing.T, w *httptest.ResponseRecorder) {
	t.Helper()
	var got struct {
		Errors []struct{ Extensions struct{ Code string } }
		Data   *any
	}
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || len(got.Errors) != 1 || got.Errors[0].Extensions.Code != "FORBIDDEN" ||
		got.Data != nil || strings.Contains(w.Body.String(), "evil") || strings.Contains(w.Body.String(), "CORS_ORIGINS=") {
		t.Errorf("a refusal: %s", w.Body)
	}
}

// TestGuardOriginsPreflight sends preflights, as a browser does before requests that no form could
// send.
func TestGuardOriginsPreflight(t *testing.T) {
	t.Parallel()
	headers := func(origin, method string) []string {
		return []string{"Origin", origin, "Access-Control-Request-Method", method, "Access-Control-Request-Headers", "content-type,idempotency-key"}
	}
	h := newRoutes(t, trusted)
	for _, tt := range []struct {
		name, origin, method string
		allowed              bool
	}{
		{"trusted", trusted, "POST", true},
		{"trusted, to read", trusted, "GET", true},
		{"trusted, with another method", trusted, "DELETE", false},
		{"another", evil, "POST", false},
		{"nobody", "null", "POST", false},
	} {
		w := askFrom(h, "OPTIONS", "/graphql", headers(tt.origin, tt.method)...)
		got := w.Header()
		want := map[string]string{}
		if tt.allowed {
			want = map[string]string{
				"Access-Control-Allow-Origin": tt.origin, "Access-Control-Allow-Methods": tt.method,
				"Access-Control-Allow-Headers": "content-type,idempotency-key", "Access-Control-Max-Age": "600",
			}
		}
		if tt.origin != trusted {
			wantForbidden(t, w)
		} else if w.Code != http.StatusNoContent || w.Body.Len() > 0 || !strings.HasPrefix(got.Get("Vary"), "Origin, Access-Control-Request-Method") {
			t.Errorf("%s: %d %v %s", tt.name, w.Code, got, w.Body)
		}
		for _, name := range []string{"Access-Control-Allow-Origin", "Access-Control-Allow-Methods", "Access-Control-Allow-Headers",
			"Access-Control-Max-Age", "Access-Control-Allow-Credentials"} {
			if got.Get(name) != want[name] {
				t.Errorf("%s: %s: %q, want %q", tt.name, name, got.Get(name), want[name])
			}
		}
	}
	if w := askFrom(newRoutes(t), "OPTIONS", "/graphql", headers(trusted, "POST")...); w.Header().Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("a server without origins allows one: %v", w.Header())
	}
	if w := askFrom(h, "OPTIONS", "/metrics", headers(trusted, "GET")...); w.Header().Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("the metrics may be read by pages: %v", w.Header())
	}
}

// TestGuardOriginsDevelopment checks which pages may use a server in development, and what the
// answers to others and the log say.
func TestGuardOriginsDevelopment(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	parts := newParts(t)
	parts.Development, parts.Log = true, slog.New(slog.NewTextHandler(&log, nil))
	h := Routes(parts)
	for origin, allowed := range map[string]bool{
		"http://localhost:5173": true, "https://localhost": true, "http://127.0.0.1:3000": true, "http://[::1]:8080": true,
		"http://app.localhost:4000": true, "http://localhost.evil.example": false, "http://localhost:1@evil.example": false,
		"http://192.168.1.7:5173": false, "ftp://localhost": false, "null": false, evil: false,
	} {
		log.Reset()
		asked := askFrom(h, "OPTIONS", "/graphql", "Origin", origin, "Access-Control-Request-Method", "POST",
			"Access-Control-Request-Headers", "content-type", "Sec-Fetch-Site", "cross-site")
		post := askFrom(h, "POST", "/graphql", "Origin", origin, "Sec-Fetch-Site", "cross-site")
		for _, w := range []*httptest.ResponseRecorder{asked, post} {
			readable := w.Header().Get("Access-Control-Allow-Origin") == origin
			if readable != allowed || (w.Code == http.StatusForbidden) == allowed {
				t.Errorf("%s: %d, Access-Control-Allow-Origin %q", origin, w.Code, w.Header().Get("Access-Control-Allow-Origin"))
			}
		}
		named := "CORS_ORIGINS=" + origin + " lets it in"
		got := strings.Contains(post.Body.String(), named) && strings.Contains(log.String(), named)
		if got != (!allowed && isOrigin(origin)) || got != strings.Contains(post.Body.String(), " lets ") {
			t.Errorf("%s: the answer is %s and the log has %q", origin, post.Body, log.String())
		}
	}
}

// TestGuardOriginsCounts checks that a refused origin is counted.
func TestGuardOriginsCounts(t *testing.T) {
	t.Parallel()
	h := newRoutes(t)
	askFrom(h, "POST", "/graphql", "Origin", evil)
	want := `forge_refused_total{limit="` + string(telemetry.Origin) + `"} 1` + "\n"
	if page := askFrom(h, "GET", "/metrics").Body.String(); !strings.Contains(page, want) {
		t.Errorf("the metrics are without %s", want)
	}
}

// TestSecurityHeaders checks the headers of each kind of answer.
func TestSecurityHeaders(t *testing.T) {
	t.Parallel()
	h := newRoutes(t, trusted)
	for _, w := range []*httptest.ResponseRecorder{
		askFrom(h, "POST", "/graphql"),
		askFrom(h, "POST", "/graphql", "Origin", evil),
		askFrom(h, "OPTIONS", "/graphql", "Origin", trusted, "Access-Control-Request-Method", "POST"),
		askFrom(h, "GET", "/"),
		askFrom(h, "GET", "/healthz"),
		askFrom(h, "POST", "/healthz"),
		askFrom(h, "GET", "/readyz"),
		askFrom(h, "GET", "/metrics"),
	} {
		for name, want := range map[string]string{
			"X-Content-Type-Options":  "nosniff",
			"Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'", "Cross-Origin-Resource-Policy": "same-origin",
		} {
			if got := w.Header().Values(name); len(got) != 1 || got[0] != want {
				t.Errorf("%d %s: %s: %q, want %q", w.Code, w.Body, name, got, want)
			}
		}
	}
}
