// Package pagetest checks pages that package webpage serves.
package pagetest

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"forge/internal/webpage"
)

// Do sends one request to a handler, with extra headers given as name and value in turn.
func Do(h http.Handler, method, path string, headers ...string) *http.Response {
	r := httptest.NewRequest(method, "/", nil)
	// It is set directly, because a client may send a path that a URL parser would refuse.
	r.URL.Path = path
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

// Read returns all that r has.
func Read(t *testing.T, r io.Reader) string {
	t.Helper()
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// References starts at the page at base, which ends in a slash, and follows every file name that
// it, and what it loads, mentions. All of them must be served, and every file of the build must be
// mentioned somewhere. It returns how many files there are.
func References(t *testing.T, h http.Handler, built map[string]webpage.File, base string) int {
	t.Helper()
	// Two patterns that begin with plain text are a hundred times faster than one that does not.
	asset := []*regexp.Regexp{
		regexp.MustCompile(`assets/([\w.-]+\.(?:js|css|svg|ttf))\b`),
		regexp.MustCompile(`\./([\w.-]+-[\w-]{8}\.(?:js|css|svg|ttf))\b`),
	}
	seen := map[string]bool{base: true, base + "licenses.md": true}
	for queue := []string{base}; len(queue) > 0; queue = queue[1:] {
		res := Do(h, "GET", queue[0])
		if res.StatusCode != http.StatusOK {
			t.Errorf("%s is asked for and not there: status %d", queue[0], res.StatusCode)
			continue
		}
		body := Read(t, res.Body)
		for _, re := range asset {
			for _, match := range re.FindAllStringSubmatch(body, -1) {
				if path := base + "assets/" + match[1]; !seen[path] {
					seen[path] = true
					queue = append(queue, path)
				}
			}
		}
		if queue[0] != base && res.Header.Get("Cache-Control") != "public, max-age=31536000, immutable" {
			t.Errorf("%s: Cache-Control %q, want it immutable", queue[0], res.Header.Get("Cache-Control"))
		}
	}
	for path := range built {
		if !seen[path] {
			t.Errorf("%s is embedded, and nothing asks for it", path)
		}
	}
	return len(seen)
}

// LoadsNothingElsewhere looks for anything that makes a browser load from another server. Links
// that a reader may click, and names of specifications, are fine.
func LoadsNothingElsewhere(t *testing.T, h http.Handler, built map[string]webpage.File) {
	t.Helper()
	var loads []string
	for _, verb := range []string{"src=", "import", "import(", "from", "importScripts(", "fetch(", "new Worker(", "url(", "@import "} {
		for _, quote := range []string{`"`, "'", "`"} {
			for _, scheme := range []string{"https://", "http://", "//"} {
				loads = append(loads, verb+quote+scheme)
			}
		}
	}
	loads = append(loads, "url(https://", "url(http://", "url(//")
	for path := range built {
		res := Do(h, "GET", path)
		body, contentType := Read(t, res.Body), res.Header.Get("Content-Type")
		if strings.HasPrefix(contentType, "text/html") && strings.Contains(body, "//") {
			t.Errorf("%s names another server:\n%s", path, body)
		}
		for _, load := range loads {
			if strings.Contains(body, load) && !strings.HasPrefix(contentType, "text/plain") {
				t.Errorf("%s contains %s", path, load)
			}
		}
	}
}

// Encodings checks that each file is the same with compression and without.
func Encodings(t *testing.T, h http.Handler, built map[string]webpage.File) {
	t.Helper()
	for path := range built {
		plain := Do(h, "GET", path)
		if got := plain.Header.Get("Content-Encoding"); got != "" {
			t.Errorf("%s: Content-Encoding %q without being asked", path, got)
		}
		want := Read(t, plain.Body)
		if got := plain.Header.Get("Content-Length"); got != strconv.Itoa(len(want)) {
			t.Errorf("%s: Content-Length %s, want %d", path, got, len(want))
		}

		packed := Do(h, "GET", path, "Accept-Encoding", "gzip, deflate, br")
		if got := packed.Header.Get("Content-Encoding"); got != "gzip" {
			t.Fatalf("%s: Content-Encoding %q, want gzip", path, got)
		}
		r, err := gzip.NewReader(packed.Body)
		if err != nil {
			t.Fatal(err)
		}
		if got := Read(t, r); got != want {
			t.Errorf("%s: gzip and identity answers differ (%d and %d bytes)", path, len(got), len(want))
		}
	}
}
