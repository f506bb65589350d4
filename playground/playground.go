// Package playground serves GraphiQL, bundled with everything it needs: a browser that opens it
// sends requests to this server only. README.md says how dist/ is built.
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

// policy lets the page load from, and send requests to, this server only. Styles may be inline,
// since the editor writes the colours of its theme into the page; scripts may not.
const policy = "default-src 'none'; script-src 'self'; worker-src 'self'; connect-src 'self'; font-src 'self'; " +
	"style-src 'self' 'unsafe-inline'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// contentTypes holds what the build emits, so that a system's own MIME table has no say.
var contentTypes = map[string]string{
	".css":  "text/css; charset=utf-8",
	".html": "text/html; charset=utf-8",
	".js":   "text/javascript; charset=utf-8",
	".md":   "text/plain; charset=utf-8",
	".svg":  "image/svg+xml",
	".ttf":  "font/ttf",
}

// file is one built file as it is embedded: compressed.
type file struct {
	gzipped      []byte
	size         int // once decompressed
	contentType  string
	cacheControl string
	plain        func() []byte // decompresses it, the first time
}

func newFile(gzipped []byte, size int, contentType, cacheControl string) file {
	return file{gzipped, size, contentType, cacheControl, sync.OnceValue(func() []byte { return decompressed(gzipped) })}
}

// Config is what the page is told of its server. Everybody who opens the page can read it.
type Config struct {
	SignIn   bool      `json:"signIn"`   // whether there is anything to sign in for
	Accounts []Account `json:"accounts"` // demo users, offered to whoever opens the page; none in production
}

// Account is a demo user.
type Account struct {
	Username string `json:"username"`
	Password string `json:"password"`
	Role     string `json:"role"`
}

// Handler returns the playground: the page at /, its assets below /assets/, its configuration at
// /config.json, and the licenses of everything in it at /licenses.md. Any other path is 404, and
// any method other than GET and HEAD is 405. Clients that do not accept gzip get the same bytes
// decompressed.
func Handler(cfg Config) http.Handler {
	files := mustFiles()
	files["/config.json"] = cfg.file()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY") // for browsers that do not know frame-ancestors
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
		// A write fails when the client is gone, and then nobody is there to get an error.
		if h.Get("Content-Encoding") == "gzip" {
			_, _ = w.Write(f.gzipped)
		} else {
			_, _ = w.Write(f.plain())
		}
	})
}

// file returns the configuration as the page loads it. No cache may keep it, since the next server
// at this address may have other users.
func (c Config) file() file {
	text, err := json.Marshal(c)
	if err != nil {
		panic(err) // there is nothing in it that JSON does not have
	}
	var gzipped bytes.Buffer
	w := gzip.NewWriter(&gzipped)
	_, err = w.Write(text)
	if err := errors.Join(err, w.Close()); err != nil {
		panic(err) // a buffer takes everything
	}
	return newFile(gzipped.Bytes(), len(text), "application/json", "no-store")
}

// decompressed returns the bytes of a gzip file. It panics on anything else, which mustFiles has
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

// mustFiles returns the embedded files by the paths that serve them. It panics on a file that the
// build cannot have written: the binary was then made from a broken dist/.
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
			cacheControl = "public, max-age=31536000, immutable" // their names change with their content
		}
		if served == "/index.html" {
			served = "/"
		}
		size := binary.LittleEndian.Uint32(gzipped[len(gzipped)-4:]) // how gzip ends
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

// acceptsGzip reports whether a client that sent these Accept-Encoding headers accepts gzip.
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
