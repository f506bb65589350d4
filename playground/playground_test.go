package playground

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"forge/internal/webpage"
	"forge/internal/webpage/pagetest"
)

var handler = Handler(Config{})

// do sends one request to the handler, with extra headers given as name and value in turn.
func do(method, path string, headers ...string) *http.Response {
	return pagetest.Do(handler, method, path, headers...)
}

func TestIndex(t *testing.T) {
	t.Parallel()
	res := do("GET", "/")
	if res.StatusCode != http.StatusOK {
		t.Fatalf("status %d, want 200", res.StatusCode)
	}
	want := map[string]string{
		"Content-Type":            "text/html; charset=utf-8",
		"Cache-Control":           "no-cache",
		"Content-Security-Policy": policy,
		"Referrer-Policy":         "no-referrer",
		"Vary":                    "Accept-Encoding",
		"X-Content-Type-Options":  "nosniff",

		"Cross-Origin-Opener-Policy": "same-origin",
		"X-Frame-Options":            "DENY",
	}
	for name, value := range want {
		if got := res.Header.Get(name); got != value {
			t.Errorf("%s: %q, want %q", name, got, value)
		}
	}
	if body := pagetest.Read(t, res.Body); !strings.Contains(body, `<div id="root">`) {
		t.Errorf("the page has no root:\n%s", body)
	}
}

func TestFiles(t *testing.T) {
	t.Parallel()
	built := webpage.MustRead(dist, "/")
	if n := pagetest.References(t, handler, built, "/"); n < 10 {
		t.Errorf("only %d files found: has the shape of their names changed?", n)
	}
	pagetest.LoadsNothingElsewhere(t, handler, built)
	pagetest.Encodings(t, handler, built)
}

// TestConfig checks the configuration that the page gets, and that no cache keeps it.
func TestConfig(t *testing.T) {
	t.Parallel()
	tests := []struct {
		cfg  Config
		want string
	}{
		{Config{}, `{"signIn":false,"accounts":null}`},
		{Config{SignIn: true, Accounts: []Account{{Username: "a", Password: "b", Role: "USER"}}}, `{"signIn":true,"accounts":[{"username":"a","password":"b","role":"USER"}]}`},
	}
	for _, tt := range tests {
		w := httptest.NewRecorder()
		Handler(tt.cfg).ServeHTTP(w, httptest.NewRequest("GET", "/config.json", nil))
		if got := w.Body.String(); got != tt.want {
			t.Errorf("the page is told %s, want %s", got, tt.want)
		}
		if h := w.Header(); h.Get("Cache-Control") != "no-store" || h.Get("Content-Type") != "application/json" {
			t.Errorf("Cache-Control %q, Content-Type %q", h.Get("Cache-Control"), h.Get("Content-Type"))
		}
	}
}

// TestExamples checks that the first tabs are there, in the order of their names.
func TestExamples(t *testing.T) {
	t.Parallel()
	var tabs []example
	if err := json.Unmarshal([]byte(pagetest.Read(t, do("GET", "/examples.json").Body)), &tabs); err != nil {
		t.Fatal(err)
	}
	names, err := filepath.Glob("examples/*.graphql")
	if err != nil || len(tabs) != len(names) || len(tabs) == 0 {
		t.Fatalf("%d tabs of %v, %v", len(tabs), names, err)
	}
	for i, name := range names {
		text, err := os.ReadFile(name)
		if err != nil || tabs[i].Query != strings.TrimSpace(string(text)) {
			t.Errorf("tab %d is %q, %v, want %s", i, tabs[i].Query, err, name)
		}
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, method, path string
		want               int
	}{
		{"unknown", "GET", "/elsewhere", 404},
		{"the page has one path", "GET", "/index.html", 404},
		{"stored name", "GET", "/index.html.gz", 404},
		{"directory", "GET", "/assets/", 404},
		{"directory without slash", "GET", "/assets", 404},
		{"up and down", "GET", "/assets/../index.html", 404},
		{"out of the tree", "GET", "/assets/../../playground.go", 404},
		{"empty", "GET", "", 404},
		{"unknown, posted", "POST", "/elsewhere", 404},
		{"posted", "POST", "/", 405},
		{"deleted", "DELETE", "/licenses.md", 405},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			res := do(tt.method, tt.path)
			if res.StatusCode != tt.want {
				t.Errorf("%s %s: status %d, want %d", tt.method, tt.path, res.StatusCode, tt.want)
			}
			if allow := res.Header.Get("Allow"); (allow == "GET, HEAD") != (tt.want == 405) {
				t.Errorf("%s %s: Allow %q", tt.method, tt.path, allow)
			}
			if res.Header.Get("X-Content-Type-Options") != "nosniff" {
				t.Error("a refusal is without nosniff")
			}
		})
	}
}

func TestHead(t *testing.T) {
	t.Parallel()
	for _, encoding := range []string{"gzip", "identity"} {
		head, get := do("HEAD", "/", "Accept-Encoding", encoding), do("GET", "/", "Accept-Encoding", encoding)
		if body := pagetest.Read(t, head.Body); body != "" {
			t.Errorf("%s: HEAD answered with a body of %d bytes", encoding, len(body))
		}
		for name := range get.Header {
			if head.Header.Get(name) != get.Header.Get(name) {
				t.Errorf("%s: %s is %q for HEAD and %q for GET", encoding, name, head.Header.Get(name), get.Header.Get(name))
			}
		}
	}
}
