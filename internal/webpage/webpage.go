// Package webpage serves a page that a bundler has built, and that a package embeds. Every file of
// it is compressed, and under a Content-Security-Policy.
package webpage

import (
	"bytes"
	"compress/gzip"
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

// contentTypes has the types of all files that a build writes. The MIME table of the system is not
// used.
var contentTypes = map[string]string{
	".css":  "text/css; charset=utf-8",
	".html": "text/html; charset=utf-8",
	".js":   "text/javascript; charset=utf-8",
	".md":   "text/plain; charset=utf-8",
	".svg":  "image/svg+xml",
	".ttf":  "font/ttf",
}

// Account is a demo user that a page offers to sign in with.
type Account struct {
	Username string `json:"username"`
	Password string `json:"password"`
	Role     string `json:"role"`
}

// File is a file of a page.
type File struct {
	gzipped      []byte
	size         int // the size without compression
	contentType  string
	cacheControl string
	plain        func() []byte // decompresses the file, but only once
}

func newFile(gzipped []byte, size int, contentType, cacheControl string) File {
	return File{gzipped, size, contentType, cacheControl, sync.OnceValue(func() []byte { return decompressed(gzipped) })}
}

// Page holds the files of a page by the paths at which they are served, and the policy under which
// a browser shows them.
type Page struct {
	Files  map[string]File
	Policy string
}

// ServeHTTP serves the files. It answers 404 for any other path, and 405 for any method except GET
// and HEAD. Clients that do not accept gzip get the files without compression.
func (p Page) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	setHeaders(w.Header(), p.Policy)
	f, ok := p.Files[r.URL.Path]
	switch {
	case !ok:
		http.NotFound(w, r)
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
	default:
		f.ServeHTTP(w, r)
	}
}

func setHeaders(h http.Header, policy string) {
	h.Set("Content-Security-Policy", policy)
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY") // for browsers without support for frame-ancestors
}

// ServeHTTP answers with the file, and without a body if the method is HEAD.
func (f File) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", f.contentType)
	h.Set("Cache-Control", f.cacheControl)
	h.Add("Vary", "Accept-Encoding")
	compressed := acceptsGzip(r.Header.Values("Accept-Encoding"))
	if compressed {
		h.Set("Content-Encoding", "gzip")
		h.Set("Content-Length", strconv.Itoa(len(f.gzipped)))
	} else {
		h.Set("Content-Length", strconv.Itoa(f.size))
	}
	if r.Method == http.MethodHead {
		return
	}
	// A write fails if the client is gone, and then there is nobody to tell.
	if compressed {
		_, _ = w.Write(f.gzipped)
	} else {
		_, _ = w.Write(f.plain())
	}
}

// MustJSON returns a value as a file. It panics if the value cannot be written as JSON.
func MustJSON(v any, cacheControl string) File {
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

// decompressed decompresses a gzip file. It panics if the text is not one, which MustRead has ruled
// out.
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

// MustRead returns the files of the folder dist of an embedded build by the paths at which they are
// served: below base, which ends in a slash. The page itself is at base. It panics if a file cannot
// come from the build, because the program then contains a broken dist/.
func MustRead(build fs.FS, base string) map[string]File {
	files := map[string]File{}
	err := fs.WalkDir(build, "dist", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		gzipped, err := fs.ReadFile(build, name)
		if err != nil {
			return err
		}
		served, isGzip := strings.CutSuffix(strings.TrimPrefix(name, "dist/"), ".gz")
		contentType, known := contentTypes[path.Ext(served)]
		if !isGzip || !known || !bytes.HasPrefix(gzipped, []byte{0x1f, 0x8b}) {
			return fmt.Errorf("%s: not a file of the page's build", name)
		}
		cacheControl := "no-cache"
		if strings.HasPrefix(served, "assets/") {
			cacheControl = "public, max-age=31536000, immutable" // names change with the content
		}
		if served == "index.html" {
			served = ""
		}
		size := binary.LittleEndian.Uint32(gzipped[len(gzipped)-4:]) // the size is at the end
		files[base+served] = newFile(gzipped, int(size), contentType, cacheControl)
		return nil
	})
	if err != nil {
		panic(err)
	}
	if _, ok := files[base]; !ok {
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
