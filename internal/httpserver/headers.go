package httpserver

import "net/http"

// secured sets what every answer tells a browser to guard against, unless its handler says otherwise: it is what its Content-Type says
// and nothing else, is neither shown in a frame nor embedded by pages of other origins, and if it is shown as a page, that loads nothing
// and does not tell where a link led from. None of this hinders what CORS allows.
//
// The values are shared by all answers, so they must not be changed in place. With what the API adds they are eight, as many as Go keeps in
// a small map.
func secured(next http.Handler) http.Handler {
	var (
		nosniff    = []string{"nosniff"}
		noReferrer = []string{"no-referrer"}
		nothing    = []string{"default-src 'none'; frame-ancestors 'none'"}
		sameOrigin = []string{"same-origin"}
	)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h["X-Content-Type-Options"] = nosniff
		h["Referrer-Policy"] = noReferrer
		h["Content-Security-Policy"] = nothing
		h["Cross-Origin-Resource-Policy"] = sameOrigin
		next.ServeHTTP(w, r)
	})
}
