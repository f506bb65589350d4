package httpserver

import (
	"net/http"

	"forge/internal/cookie"
)

// cookies returns the middleware that lets an operation use the cookies of its request, and set
// those of its answer. Without p.Cookies there are none.
func cookies(p Parts, allowed origins) middleware {
	return func(next http.Handler) http.Handler {
		if p.Cookies == nil {
			return next
		}
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			next.ServeHTTP(w, r.WithContext(cookie.NewContext(r.Context(), jarOf(p, allowed, w, r))))
		})
	}
}

// jarOf returns the cookies of a request. Those of a page of another origin are only used if
// CORS_ORIGINS names it, also for a GET, which guardOrigins passes on. In development, pages of
// this machine may ask without being named, but not with cookies, which all ports share.
func jarOf(p Parts, allowed origins, w http.ResponseWriter, r *http.Request) *cookie.Jar {
	trusted := allowed.isNamed(r.Header.Get("Origin")) || !isForeign(r)
	return p.Cookies.Of(cookie.Request{Writer: w, Request: r, Trusted: trusted, Plain: p.Development && isLocal(r.Host)})
}
