package httpserver

import "net/http"

// toldPath returns the path of a request if the server has an answer for it by that very path. Others are not told: people paste into an
// address what should not be there.
func toldPath(r *http.Request) string {
	switch r.URL.Path {
	case "/", "/graphql", "/healthz", "/readyz", "/metrics":
		return r.URL.Path
	}
	return "/…"
}

// toldMethod returns the method of a request if it is one of HTTP's.
func toldMethod(r *http.Request) string {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions,
		http.MethodConnect, http.MethodTrace:
		return r.Method
	}
	return "…"
}
