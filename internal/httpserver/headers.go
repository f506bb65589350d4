package httpserver

import "net/http"

// The values are shared by all answers, so they must not be changed in place. With what is added on the way to an answer of the API they are eight,
// as many as Go keeps in a small map: TestHeadersFit.
var (
	nosniff    = []string{"nosniff"}
	nothing    = []string{"default-src 'none'; frame-ancestors 'none'"}
	sameOrigin = []string{"same-origin"}
	noStore    = []string{"no-store"}
)

// secure sets what every answer tells a browser to guard against, unless its handler says otherwise: it is what its Content-Type says
// and nothing else, is neither shown in a frame nor embedded by pages of other origins, and if it is shown as a page, that loads nothing.
// Nothing keeps it, neither a browser nor a proxy on the way. None of this hinders what CORS allows.
func secure(h http.Header) {
	h["Cache-Control"] = noStore
	h["X-Content-Type-Options"] = nosniff
	h["Content-Security-Policy"] = nothing
	h["Cross-Origin-Resource-Policy"] = sameOrigin
}

// secured returns a handler whose answers are secure.
func secured(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		secure(w.Header())
		next.ServeHTTP(w, r)
	})
}
