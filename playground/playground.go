// Package playground serves GraphiQL with everything that it needs. A browser that opens the page
// sends requests to no other server. README.md says how dist/ is built.
package playground

import (
	"bytes"
	"compress/gzip"
	"embed"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"
)

//go:embed all:dist
var dist embed.FS

// examples are the tabs of a first visit: one for each .graphql file, in the order of their names,
// with the .json file of the same name, if there is one, as its variables.
//
//go:embed examples
var examples embed.FS

// policy lets the page load files only from this server, and send requests only to it. Inline
// styles are allowed, because the editor writes the colours of its theme into the page. Inline
// scripts are not.
const policy = "default-src 'none'; script-src 'self'; worker-src 'self'; connect-src 'self'; font-src 'self'; " +
	"style-src 'self' 'unsafe-inline'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// contentTypes has the types of all files that the build writes. The MIME table of the system is
// not used.
var contentTypes = map[string]string{
	".css":  "text/css; charset=utf-8",
	".html": "text/html; charset=utf-8",
	".js":   "text/javascript; charset=utf-8",
	".md":   "text/plain; charset=utf-8",
	".svg":  "image/svg+xml",
	".ttf":  "font/ttf",
}

// file is one file of the build, as it is embedded: compressed.
type file struct {
	gzipped      []byte
	size         int // the size without compression
	contentType  string
	cacheControl string
	plain        func() []byte // decompresses the file, but only once
}

func newFile(gzipped []byte, size int, contentType, cacheControl string) file {
	return file{gzipped, size, contentType, cacheControl, sync.OnceValue(func() []byte { return decompressed(gzipped) })}
}

// Config is what the page learns about its server. Everybody who opens the page can read it.
type Config struct {
	SignIn   bool      `json:"signIn"`   // whether it is possible to sign in
	Accounts []Account `json:"accounts"` // demo users that the page offers to sign in with
	// Build is empty, unless somebody works on the source: then the page asks for it again and
	// again, and reloads when it is another one.
	Build string `json:"build,omitempty"`
	// Explain says that the page may ask for the statements of a query, and for their plans.
	Explain bool   `json:"explain,omitempty"`
	Links   []Link `json:"links,omitempty"` // other pages of the server
}

// Link leads to another page of the server.
type Link struct {
	Name string `json:"name"`
	Path string `json:"path"`
}

// Account is a demo user.
type Account struct {
	Username string `json:"username"`
	Password string `json:"password"`
	Role     string `json:"role"`
}

// Handler returns the handler of the playground. It serves the page at /, its assets below
// /assets/, its configuration at /config.json, its first tabs at /examples.json, and the licences
// of everything in it at /licenses.md. It answers 404 for any other path, and 405 for any method
// except GET and HEAD. Clients that do not accept gzip get the files without compression.
func Handler(cfg Config) http.Handler {
	files := mustFiles()
	files["/config.json"], files["/examples.json"] = cfg.file(), mustExamples()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY") // for browsers without support for frame-ancestors
		f, ok := files[r.URL.Path]
		if !ok {
			http.NotFound(w, r)
			return
		}
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			h.Set("Allow", "GET, HEAD")
			http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
			return
		}
		h.Set("Content-Type", f.contentType)
		h.Set("Cache-Control", f.cacheControl)
		h.Set("Vary", "Accept-Encoding")
		if acceptsGzip(r.Header.Values("Accept-Encoding")) {
			h.Set("Content-Encoding", "gzip")
			h.Set("Content-Length", strconv.Itoa(len(f.gzipped)))
		} else {
			h.Set("Content-Length", strconv.Itoa(f.size))
		}
		if r.Method == http.MethodHead {
			return
		}
		// A write fails if the client is gone, and then there is nobody to tell.
		if h.Get("Content-Encoding") == "gzip" {
			_, _ = w.Write(f.gzipped)
		} else {
			_, _ = w.Write(f.plain())
		}
	})
}

// example is a tab of the page.
type example struct {
	Query     string  `json:"query"`
	Variables *string `json:"variables"`
}

// mustExamples returns the tabs of a first visit as a file of the page. It panics if an embedded
// file cannot be read.
func mustExamples() file {
	all := []example{}
	names, err := fs.Glob(examples, "examples/*.graphql")
	if err != nil {
		panic(err)
	}
	for _, name := range names {
		query, err := examples.ReadFile(name)
		if err != nil {
			panic(err)
		}
		e := example{Query: strings.TrimSpace(string(query))}
		if text, err := examples.ReadFile(strings.TrimSuffix(name, "graphql") + "json"); err == nil {
			e.Variables = new(strings.TrimSpace(string(text)))
		}
		all = append(all, e)
	}
	return jsonFile(all, "no-cache")
}

// file returns the configuration as a file of the page. Caches must not keep it, because another
// server with other users may run at this address later.
func (c Config) file() file { return jsonFile(c, "no-store") }

// jsonFile returns a value as a file of the page. It panics if the value cannot be written as JSON.
func jsonFile(v any, cacheControl string) file {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	var gzipped bytes.Buffer
	w := gzip.NewWriter(&gzipped)
	_, err = w.Write(text)
	if err := errors.Join(err, w.Close()); err != nil {
		panic(err) // a write to a buffer does not fail
	}
	return newFile(gzipped.Bytes(), len(text), "application/json", cacheControl)
}

// decompressed decompresses a gzip file. It panics if the text is not one, which mustFiles has
// ruled out.
func decompressed(gzipped []byte) []byte {
	r, err := gzip.NewReader(bytes.NewReader(gzipped))
	if err != nil {
		panic(err)
	}
	plain, err := io.ReadAll(r)
	if err != nil {
		panic(err)
	}
	return plain
}

// mustFiles returns the embedded files by the paths at which they are served. It panics if a file
// cannot come from the build, because the program then contains a broken dist/.
func mustFiles() map[string]file {
	files := map[string]file{}
	err := fs.WalkDir(dist, "dist", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		gzipped, err := dist.ReadFile(name)
		if err != nil {
			return err
		}
		served, isGzip := strings.CutSuffix(strings.TrimPrefix(name, "dist"), ".gz")
		contentType, known := contentTypes[path.Ext(served)]
		if !isGzip || !known || !bytes.HasPrefix(gzipped, []byte{0x1f, 0x8b}) {
			return fmt.Errorf("%s: not a file of the playground's build", name)
		}
		cacheControl := "no-cache"
		if strings.HasPrefix(served, "/assets/") {
			cacheControl = "public, max-age=31536000, immutable" // names change with the content
		}
		if served == "/index.html" {
			served = "/"
		}
		size := binary.LittleEndian.Uint32(gzipped[len(gzipped)-4:]) // the size is at the end
		files[served] = newFile(gzipped, int(size), contentType, cacheControl)
		return nil
	})
	if err != nil {
		panic(err)
	}
	if _, ok := files["/"]; !ok {
		panic("dist/index.html.gz is missing")
	}
	return files
}

// acceptsGzip reports whether a client with these Accept-Encoding headers accepts gzip.
func acceptsGzip(headers []string) bool {
	wildcard := false
	for _, coding := range strings.Split(strings.Join(headers, ","), ",") {
		name, params, _ := strings.Cut(coding, ";")
		weight, hasWeight := strings.CutPrefix(strings.TrimSpace(params), "q=")
		q, err := strconv.ParseFloat(weight, 64)
		accepted := !hasWeight || err == nil && q > 0
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "gzip":
			return accepted
		case "*":
			wildcard = accepted
		}
	}
	return wildcard
}
