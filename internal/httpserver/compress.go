package httpserver

import (
	"compress/gzip"
	"net/http"
	"strings"

	"github.com/klauspost/compress/gzhttp"
)

// minCompressed is the size from which an answer is compressed, in bytes. A smaller one fits into
// one packet anyway.
const minCompressed = 1 << 10

// compress returns the middleware that compresses answers as zstd or gzip, if the client asks for
// it by Accept-Encoding. If both are equally welcome, a browser gets zstd, which takes less time of
// the processor, and so does a client that names zstd first. All others get gzip: some clients ask
// for zstd and cannot read it, such as @whatwg-node/node-fetch 0.9.3 on Node.js 20. If it is off,
// answers are never compressed.
//
// Speed counts more than size: each answer is compressed once, for one client.
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

// compressed returns a handler that compresses the answers of next. preferZstd says which coding is
// used if the client accepts both.
func compressed(next http.Handler, preferZstd bool) http.Handler {
	wrap, err := gzhttp.NewWrapper(gzhttp.MinSize(minCompressed),
		gzhttp.CompressionLevel(gzip.BestSpeed), gzhttp.PreferZstd(preferZstd))
	if err != nil {
		panic("httpserver: " + err.Error())
	}
	return wrap(next)
}

// fromBrowser reports whether a browser sent the request. All browsers send Sec-Fetch-Site to this
// machine and over TLS (https://www.w3.org/TR/fetch-metadata/); other clients do not.
func fromBrowser(r *http.Request) bool { return r.Header.Get("Sec-Fetch-Site") != "" }

// namesZstdFirst reports whether zstd stands before gzip in an Accept-Encoding header.
func namesZstdFirst(accepted string) bool {
	accepted = strings.ToLower(accepted)
	zstd, gzip := strings.Index(accepted, "zstd"), strings.Index(accepted, "gzip")
	return zstd >= 0 && (gzip < 0 || zstd < gzip)
}

var acceptEncoding = []string{"Accept-Encoding"}

// addVary says that the answer depends on the codings that the client accepts.
func addVary(h http.Header) {
	if len(h["Vary"]) == 0 {
		h["Vary"] = acceptEncoding
		return
	}
	h.Add("Vary", acceptEncoding[0])
}
