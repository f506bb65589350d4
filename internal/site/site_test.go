package site

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"forge/docs"
)

// whole returns the site of this source tree.
var whole = sync.OnceValues(func() (*Site, error) {
	sdl, err := os.ReadFile("../../schema.graphqls")
	if err != nil {
		return nil, err
	}
	return New(Options{Pages: docs.Files, SDL: string(sdl)})
})

func mustWhole(t *testing.T) *Site {
	t.Helper()
	s, err := whole()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

var (
	address = regexp.MustCompile(`\s(?:href|src)="([^"]*)"`)
	id      = regexp.MustCompile(`\sid="([^"]+)"`)
)

// TestLinks follows each link of each page: its page and its anchor are there, and nothing is
// loaded from elsewhere.
func TestLinks(t *testing.T) {
	t.Parallel()
	s := mustWhole(t)
	anchors := map[string][]string{}
	for name, content := range s.files {
		for _, m := range id.FindAllSubmatch(content, -1) {
			if slices.Contains(anchors[name], string(m[1])) {
				t.Errorf("%s has the anchor %s twice", name, m[1])
			}
			anchors[name] = append(anchors[name], string(m[1]))
		}
	}
	followed := 0
	for name, content := range s.files {
		if path.Ext(name) != ".html" {
			continue
		}
		for _, m := range address.FindAllStringSubmatch(string(content), -1) {
			followed++
			if strings.Contains(m[1], ":") {
				if strings.Contains(m[0], "src=") {
					t.Errorf("%s loads %s", name, m[1])
				}
				continue
			}
			file, anchor, _ := strings.Cut(m[1], "#")
			to := path.Join(path.Dir(name), file)
			if file == "" {
				to = name
			}
			if s.files[to] == nil {
				t.Errorf("%s links to %s, which is not there", name, m[1])
			} else if anchor != "" && !slices.Contains(anchors[to], anchor) {
				t.Errorf("%s links to %s, and there is no such heading", name, m[1])
			}
		}
	}
	if followed < 1000 {
		t.Errorf("only %d links were found", followed)
	}
}

// TestOutside checks that links out of the site lead to files of the source tree.
func TestOutside(t *testing.T) {
	t.Parallel()
	s := &Site{files: map[string][]byte{}}
	texts, err := s.read(docs.Files)
	if err != nil {
		t.Fatal(err)
	}
	texts[apiFolder+readme], texts["adr/"+readme] = "# API", "# Decisions"
	b := newBook(texts, s.files)
	for name, from := range b.outside {
		if _, err := os.Stat(path.Join("../../docs", name)); err != nil || !strings.HasPrefix(name, "../") {
			t.Errorf("%s links to %s: %v", from, name, err)
		}
	}
	if len(b.outside) == 0 {
		t.Error("no link leads into the source tree")
	}
}

// TestNavigation checks that the first page names each page, and each picture is shown.
func TestNavigation(t *testing.T) {
	t.Parallel()
	s := mustWhole(t)
	first := string(s.files["index.html"])
	for name := range s.files {
		ofList := path.Base(name) == "index.html" || path.Dir(name) == "adr" || strings.HasPrefix(name, apiFolder)
		isPage := path.Ext(name) == ".html" && !ofList
		if isPage && !strings.Contains(first, `href="`+name+`"`) {
			t.Errorf("docs/README.md does not link to %s", name)
		}
		if strings.Contains(string(s.files[name]), "raw HTML omitted") {
			t.Errorf("%s has HTML, which the site leaves out", name)
		}
		if path.Ext(name) == ".html" && strings.Contains(string(s.files[name]), ` style="`) {
			t.Errorf("%s has a style, which the policy of the site refuses", name)
		}
	}
}

// TestSize compresses what the program has of the pages.
func TestSize(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	s := mustWhole(t)
	for name, content := range s.files {
		if path.Ext(name) == ".html" || name == "search.json" {
			continue // made when the program runs
		}
		_, _ = w.Write(content)
	}
	for name, text := range mustTexts(t) {
		if !strings.HasPrefix(name, apiFolder) {
			_, _ = w.Write([]byte(text))
		}
	}
	_ = w.Close()
	t.Logf("%d KiB compressed, %d files", b.Len()>>10, len(s.files))
	if b.Len() > 1536<<10 {
		t.Errorf("the pages take %d KiB, compressed; 1536 KiB is allowed", b.Len()>>10)
	}
}

func mustTexts(t *testing.T) map[string]string {
	t.Helper()
	texts, err := (&Site{files: map[string][]byte{}}).read(docs.Files)
	if err != nil {
		t.Fatal(err)
	}
	return texts
}

const sdl = `
"What is read."
type Query {
  "One album."
  album(id: ID! "Left | right." plain: Boolean = false): Album
  old: Int @deprecated(reason: "Ask for album.")
}
"A record."
type Album implements Named { name: String! tracks("How many." first: Int = 20): [Track!]! kind: Kind }
type Track implements Named { name: String! }
interface Named { "What it is called." name: String! }
union Any = Album | Track
enum Kind { "Long." LP SINGLE @deprecated }
input Filter { kind: Kind = LP }
`

func pages(texts ...string) fstest.MapFS {
	files := fstest.MapFS{}
	for i := 0; i < len(texts); i += 2 {
		files[texts[i]] = &fstest.MapFile{Data: []byte(texts[i+1])}
	}
	return files
}

// TestAPI makes the reference of a schema.
func TestAPI(t *testing.T) {
	t.Parallel()
	s, err := New(Options{Pages: pages("README.md", "# P\n\n## A\n\n[API](../schema.graphqls)\n"), SDL: sdl})
	if err != nil {
		t.Fatal(err)
	}
	for name, wants := range map[string][]string{
		"index.html":           {`<a href="api/index.html">API</a>`},
		"api/index.html":       {`href="../api/queries.html">Queries`, `<a href="../api/types/Album.html"><code>Album</code></a>`, `id="inputs"`},
		"api/queries.html":     {"What is read.", `<h2 id="album">`, "One album.", "Left | right.", `<code>false</code>`, "<strong>Deprecated:</strong> Ask for album."},
		"api/types/Album.html": {"Object; implements", "A record.", `<a href="../../api/types/Track.html"><code>[Track!]!</code></a>`, `<h2 id="tracks">`, "How many.", "Query.album"},
		"api/types/Named.html": {"Interface of", "What it is called.", "Track.html"},
		"api/types/Any.html":   {"Union of", "Album.html"},
		"api/types/Kind.html":  {"Long.", "<strong>Deprecated:</strong> No longer supported", "Filter.kind"},
	} {
		for _, want := range wants {
			if !strings.Contains(string(s.files[name]), want) {
				t.Errorf("%s lacks %s:\n%s", name, want, s.files[name])
			}
		}
	}
}

// TestBad makes sites of what is none.
func TestBad(t *testing.T) {
	t.Parallel()
	for _, o := range []Options{
		{Pages: pages("a.md", "# A\n"), SDL: sdl},
		{Pages: pages("README.md", "# A\n"), SDL: "type Query {"},
	} {
		if s, err := New(o); err == nil {
			t.Errorf("%v becomes a site: %v", o, s)
		}
	}
}

// TestMarkdown renders what could do harm, and what is particular to the pages.
func TestMarkdown(t *testing.T) {
	t.Parallel()
	s, err := New(Options{SDL: sdl, Pages: pages("README.md", "# P\n", "a/b.md", strings.Join([]string{
		"<!-- Generated -->\n# <b>T</b> & co", "## Über BAD_USER-INPUT, 2x", "## same\n## same",
		"<script>alert(1)</script>", "[x](javascript:alert(1)) [out](../../internal/x.go) [up](../README.md) [far](https://example.com/)",
		"```go new graph/x.go\nfunc f() { return \"<i>\" } // c\n```", "```sql\nSELECT 'a' from x -- c\n```", "```go\nedge.From(x)\n```", "```console\n$ go run . <x\nout\n```", "| a |\n| ---: |\n| b |\n",
	}, "\n\n"))})
	if err != nil {
		t.Fatal(err)
	}
	got := string(s.files["a/b.html"])
	for _, want := range []string{
		`id="über-bad_user-input-2x"`, `id="same"`, `id="same-1"`, `<span class="source" title="in the source tree">out</span>`, `href="../index.html">up`,
		`<a rel="noreferrer" href="https://example.com/">far`, `<div class="file">graph/x.go</div>`, `<span class="k">return</span> <span class="s">&#34;&lt;i&gt;&#34;</span>`,
		`<span class="c">// c`, `<span class="k">SELECT</span> <span class="s">&#39;a&#39;</span> <span class="k">from</span> x <span class="c">-- c`, "edge.From(x)", `<span class="p">$ </span>go run . &lt;x`, `<div class="wide" tabindex="0"><table>`, `<td align="right">b`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("the page lacks %s:\n%s", want, got)
		}
	}
	for _, bad := range []string{"<script>alert", "<b>T", "javascript:"} {
		if strings.Contains(got, bad) {
			t.Errorf("the page has %s:\n%s", bad, got)
		}
	}
}

// TestServe asks for files in good and in bad ways.
func TestServe(t *testing.T) {
	t.Parallel()
	s := mustWhole(t)
	for _, tt := range []struct {
		method, path string
		status       int
		contentType  string
	}{
		{"GET", "/", 200, "text/html; charset=utf-8"},
		{"HEAD", "/settings.html", 200, "text/html; charset=utf-8"},
		{"GET", "/adr/", 200, "text/html; charset=utf-8"},
		{"GET", "/search.json", 200, "application/json"},
		{"GET", "/assets/minisearch.js", 200, "text/javascript; charset=utf-8"},
		{"GET", "/nothing.html", 404, "text/html; charset=utf-8"},
		{"HEAD", "/nothing.html", 404, "text/html; charset=utf-8"},
		{"GET", "/../../etc/passwd", 404, "text/html; charset=utf-8"},
		{"GET", "/docs.go", 404, "text/html; charset=utf-8"},
		{"GET", strings.Repeat("/x", 2000), 404, "text/plain; charset=utf-8"},
		{"POST", "/", 405, "text/plain; charset=utf-8"},
	} {
		r := httptest.NewRequest(tt.method, "/", nil)
		r.URL.Path = tt.path
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		if got := w.Header(); w.Code != tt.status || got.Get("Content-Type") != tt.contentType || got.Get("Content-Security-Policy") != policy {
			t.Errorf("%s %s: %d, %v", tt.method, tt.path, w.Code, got)
		}
		if tt.method == http.MethodHead && w.Body.Len() > 0 {
			t.Errorf("HEAD %s has a body", tt.path)
		}
	}
}

// TestMissing follows the links of the page that is shown where there is none, at several depths.
func TestMissing(t *testing.T) {
	t.Parallel()
	s := mustWhole(t)
	for at, near := range map[string]string{"nothing": "", "a/b/c/": "", "settings": "settings.html", "x/settings.md": "settings.html", `"><script>`: ""} {
		w := httptest.NewRecorder()
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.URL.Path = "/" + at
		s.ServeHTTP(w, r)
		body := w.Body.String()
		if strings.Contains(body, "<script>") || strings.Contains(body, "Made from") || strings.Contains(body, "Perhaps") != (near != "") ||
			near != "" && !strings.Contains(body, `">`+near+`</a>`) {
			t.Errorf("%s: %s", at, body)
		}
		for _, m := range address.FindAllStringSubmatch(body, -1) {
			if file, _, _ := strings.Cut(m[1], "#"); file != "" && s.files[path.Join(path.Dir(at), file)] == nil {
				t.Errorf("the page at %s links to %s, which is not there", at, m[1])
			}
		}
	}
}

// TestWrite writes a site to a folder.
func TestWrite(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := mustWhole(t).Write(dir); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(path.Join(dir, "api/index.html")); err != nil || !bytes.Equal(got, mustWhole(t).files["api/index.html"]) {
		t.Errorf("api/index.html is %q, %v", got, err)
	}
}
