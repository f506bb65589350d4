package httpserver

import (
	"compress/gzip"
	"net/http"
	"strings"

	"github.com/klauspost/compress/gzhttp"
)

// compressible is the size from which an answer is compressed, in bytes. A smaller one fits a packet anyway.
const compressible = 1 << 10

// Compress returns a handler that compresses the answers of next, as zstd or gzip, if the client asks
// for it by Accept-Encoding. Between the two, if they are equally welcome, a browser gets zstd, which
// takes less of the processor, and so does a client that names it first. Others get gzip: there are
// clients that ask for zstd and cannot read it, such as @whatwg-node/node-fetch 0.9.3 on Node.js 20.
//
// Speed counts more than size: each answer is compressed once, for one client.
func Compress(next http.Handler) http.Handler {
	asZstd, asGzip := compressed(next, true), compressed(next, false)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch accepted := r.Header.Get("Accept-Encoding"); {
		case accepted == "":
			vary(w.Header())
			next.ServeHTTP(w, r)
		case fromBrowser(r) || namesZstdFirst(accepted):
			asZstd.ServeHTTP(w, r)
		default:
			asGzip.ServeHTTP(w, r)
		}
	})
}

// compressed returns next with its answers compressed; as zstd, if that is preferred to gzip.
func compressed(next http.Handler, preferZstd bool) http.Handler {
	wrap, err := gzhttp.NewWrapper(gzhttp.MinSize(compressible), gzhttp.CompressionLevel(gzip.BestSpeed), gzhttp.PreferZstd(preferZstd))
	if err != nil {
		panic("httpserver: " + err.Error())
	}
	return wrap(next)
}

// fromBrowser reports whether a browser sent the request. Each sends Sec-Fetch-Site, to this machine
// and over TLS (https://www.w3.org/TR/fetch-metadata/), which other clients do not.
func fromBrowser(r *http.Request) bool { return r.Header.Get("Sec-Fetch-Site") != "" }

// namesZstdFirst reports whether zstd stands before gzip in an Accept-Encoding header.
func namesZstdFirst(accepted string) bool {
	accepted = strings.ToLower(accepted)
	zstd, gzip := strings.Index(accepted, "zstd"), strings.Index(accepted, "gzip")
	return zstd >= 0 && (gzip < 0 || zstd < gzip)
}

var acceptEncoding = []string{"Accept-Encoding"}

// vary says that the answer depends on what the client accepts.
func vary(h http.Header) {
	if len(h["Vary"]) == 0 {
		h["Vary"] = acceptEncoding
		return
	}
	h.Add("Vary", acceptEncoding[0])
}
