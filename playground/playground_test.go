package playground

import (
	"compress/gzip"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

var handler = Handler(Config{})

// do sends one request to the handler, with extra headers given as name and value in turn.
func do(method, path string, headers ...string) *http.Response {
	r := httptest.NewRequest(method, "/", nil)
	// It is set directly, because a client may send a path that a URL parser would refuse.
	r.URL.Path = path
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	return w.Result()
}

func mustRead(t *testing.T, r io.Reader) string {
	t.Helper()
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
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
	if body := mustRead(t, res.Body); !strings.Contains(body, `<div id="root">`) {
		t.Errorf("the page has no root:\n%s", body)
	}
}

// TestReferencesAreServed starts at the page and follows every file name that it, and what it
// loads, mentions. All of them are served, and every built file is mentioned somewhere.
func TestReferencesAreServed(t *testing.T) {
	t.Parallel()
	// Two patterns that begin with plain text are a hundred times faster than one that does not.
	asset := []*regexp.Regexp{
		regexp.MustCompile(`assets/([\w.-]+\.(?:js|css|svg|ttf))\b`),
		regexp.MustCompile(`\./([\w.-]+-[\w-]{8}\.(?:js|css|svg|ttf))\b`),
	}
	seen := map[string]bool{"/": true, "/licenses.md": true}
	for queue := []string{"/"}; len(queue) > 0; queue = queue[1:] {
		res := do("GET", queue[0])
		if res.StatusCode != http.StatusOK {
			t.Errorf("%s is asked for and not there: status %d", queue[0], res.StatusCode)
			continue
		}
		body := mustRead(t, res.Body)
		for _, re := range asset {
			for _, match := range re.FindAllStringSubmatch(body, -1) {
				if path := "/assets/" + match[1]; !seen[path] {
					seen[path] = true
					queue = append(queue, path)
				}
			}
		}
		if queue[0] != "/" && res.Header.Get("Cache-Control") != "public, max-age=31536000, immutable" {
			t.Errorf("%s: Cache-Control %q, want it immutable", queue[0], res.Header.Get("Cache-Control"))
		}
	}
	for path := range mustFiles() {
		if !seen[path] {
			t.Errorf("%s is embedded, and nothing asks for it", path)
		}
	}
	if len(seen) < 10 {
		t.Errorf("only %d files found: has the shape of their names changed?", len(seen))
	}
}

// TestPlaygroundLoadsNothingElsewhere looks for anything that makes a browser load from another
// server. Links that a reader may click, and names of specifications, are fine.
func TestPlaygroundLoadsNothingElsewhere(t *testing.T) {
	t.Parallel()
	var loads []string
	for _, verb := range []string{"src=", "import", "import(", "from", "importScripts(", "fetch(", "new Worker(", "url(", "@import "} {
		for _, quote := range []string{`"`, "'", "`"} {
			for _, scheme := range []string{"https://", "http://", "//"} {
				loads = append(loads, verb+quote+scheme)
			}
		}
	}
	loads = append(loads, "url(https://", "url(http://", "url(//")
	for path, f := range mustFiles() {
		body := string(f.plain())
		if strings.HasPrefix(f.contentType, "text/html") && strings.Contains(body, "//") {
			t.Errorf("%s names another server:\n%s", path, body)
		}
		for _, load := range loads {
			if strings.Contains(body, load) && !strings.HasPrefix(f.contentType, "text/plain") {
				t.Errorf("%s contains %s", path, load)
			}
		}
	}
}

func TestEncodings(t *testing.T) {
	t.Parallel()
	for path := range mustFiles() {
		plain := do("GET", path)
		if got := plain.Header.Get("Content-Encoding"); got != "" {
			t.Errorf("%s: Content-Encoding %q without being asked", path, got)
		}
		want := mustRead(t, plain.Body)
		if got := plain.Header.Get("Content-Length"); got != strconv.Itoa(len(want)) {
			t.Errorf("%s: Content-Length %s, want %d", path, got, len(want))
		}

		packed := do("GET", path, "Accept-Encoding", "gzip, deflate, br")
		if got := packed.Header.Get("Content-Encoding"); got != "gzip" {
			t.Fatalf("%s: Content-Encoding %q, want gzip", path, got)
		}
		r, err := gzip.NewReader(packed.Body)
		if err != nil {
			t.Fatal(err)
		}
		if got := mustRead(t, r); got != want {
			t.Errorf("%s: gzip and identity answers differ (%d and %d bytes)", path, len(got), len(want))
		}
	}
}

// TestConfig checks the configuration that the page gets, and that no cache keeps it.
func TestConfig(t *testing.T) {
	t.Parallel()
	tests := []struct {
		cfg  Config
		want string
	}{
		{Config{}, `{"signIn":false,"accounts":null}`},
		{Config{SignIn: true, Accounts: []Account{{"a", "b", "USER"}}}, `{"signIn":true,"accounts":[{"username":"a","password":"b","role":"USER"}]}`},
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
	if err := json.Unmarshal([]byte(mustRead(t, do("GET", "/examples.json").Body)), &tabs); err != nil {
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

func TestAcceptsGzip(t *testing.T) {
	tests := []struct {
		header string
		want   bool
	}{
		{"", false},
		{"br", false},
		{"gzip", true},
		{"br, GZIP;q=0.5", true},
		{"gzip;q=0, *", false},
		{"gzip; q=0.0", false},
		{"gzip;q=x", false},
		{"identity, *;q=0.1", true},
		{"*;q=0", false},
	}
	for _, tt := range tests {
		if got := acceptsGzip([]string{tt.header}); got != tt.want {
			t.Errorf("%q: %v, want %v", tt.header, got, tt.want)
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
		if body := mustRead(t, head.Body); body != "" {
			t.Errorf("%s: HEAD answered with a body of %d bytes", encoding, len(body))
		}
		for name := range get.Header {
			if head.Header.Get(name) != get.Header.Get(name) {
				t.Errorf("%s: %s is %q for HEAD and %q for GET", encoding, name, head.Header.Get(name), get.Header.Get(name))
			}
		}
	}
}

// TestFilesAreDecompressedOnce checks that a file is not decompressed again for each request that
// does not accept gzip.
func TestFilesAreDecompressedOnce(t *testing.T) {
	t.Parallel()
	for path, f := range mustFiles() {
		if a, b := f.plain(), f.plain(); len(a) != f.size || len(a) > 0 && &a[0] != &b[0] {
			t.Errorf("%s: %d bytes, want %d, the same ones each time", path, len(a), f.size)
		}
	}
}
