package httpserver

import (
	"compress/gzip"
	"net/http"
	"strings"

	"github.com/klauspost/compress/gzhttp"
)

// minCompressed is the size in bytes from which an answer is compressed. A smaller answer fits into
// one packet anyway.
const minCompressed = 1 << 10

// compress returns the middleware that compresses answers as zstd or gzip, if the client accepts
// one of them. If the client accepts both equally, browsers get zstd, which takes less processor
// time, and so do clients that name zstd first. Others get gzip, because some clients accept zstd
// but cannot read it, such as @whatwg-node/node-fetch 0.9.3 on Node.js 20. If on is false, answers
// are never compressed.
//
// Speed counts more than size, because each answer is compressed for a single client.
func compress(on bool) middleware {
	return func(next http.Handler) http.Handler {
		if !on {
			return next
		}
		asZstd, asGzip := compressed(next, true), compressed(next, false)
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			switch accepted := r.Header.Get("Accept-Encoding"); {
			case accepted == "":
				addVary(w.Header())
				next.ServeHTTP(w, r)
			case fromBrowser(r) || namesZstdFirst(accepted):
				asZstd.ServeHTTP(w, r)
			default:
				asGzip.ServeHTTP(w, r)
			}
		})
	}
}

// compressed returns a handler that compresses the answers of next. If the client accepts both
// codings equally, preferZstd says which one is used.
func compressed(next http.Handler, preferZstd bool) http.Handler {
	wrap, err := gzhttp.NewWrapper(gzhttp.MinSize(minCompressed),
		gzhttp.CompressionLevel(gzip.BestSpeed), gzhttp.PreferZstd(preferZstd))
	if err != nil {
		panic("httpserver: " + err.Error())
	}
	return wrap(next)
}

// fromBrowser reports whether a browser sent the request. All browsers send Sec-Fetch-Site to this
// machine, and to any server over TLS (https://www.w3.org/TR/fetch-metadata/). Other clients do
// not.
func fromBrowser(r *http.Request) bool { return r.Header.Get("Sec-Fetch-Site") != "" }

// namesZstdFirst reports whether zstd stands before gzip in an Accept-Encoding header.
func namesZstdFirst(accepted string) bool {
	accepted = strings.ToLower(accepted)
	zstd, gzip := strings.Index(accepted, "zstd"), strings.Index(accepted, "gzip")
	return zstd >= 0 && (gzip < 0 || zstd < gzip)
}

var acceptEncoding = []string{"Accept-Encoding"}

// addVary adds the header that says that the answer depends on Accept-Encoding.
func addVary(h http.Header) {
	if len(h["Vary"]) == 0 {
		h["Vary"] = acceptEncoding
		return
	}
	h.Add("Vary", acceptEncoding[0])
}
