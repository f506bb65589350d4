package httpserver

import (
	"compress/gzip"
	"net/http"

	"github.com/klauspost/compress/gzhttp"
)

// compressible is the size from which an answer is compressed, in bytes. A smaller one fits a packet anyway.
const compressible = 1 << 10

// Compress returns a handler that compresses the answers of next, as zstd or gzip, if the client asks for it by Accept-Encoding; between two that are
// equally welcome, as zstd, which takes less of the processor.
//
// Speed counts more than size: each answer is compressed once, for one client.
func Compress(next http.Handler) http.Handler {
	wrap, err := gzhttp.NewWrapper(gzhttp.MinSize(compressible), gzhttp.CompressionLevel(gzip.BestSpeed))
	if err != nil {
		panic("httpserver: " + err.Error())
	}
	asked := wrap(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Accept-Encoding") != "" {
			asked(w, r)
			return
		}
		vary(w.Header())
		next.ServeHTTP(w, r)
	})
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
