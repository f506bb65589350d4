package httpserver

import (
	"errors"
	"net/http"

	"forge/internal/graphqlhttp"
	"forge/internal/token"
	"forge/internal/viewer"
)

// authenticate returns the middleware that verifies bearer tokens, and puts the viewer on the
// request's context. A request without an Authorization header is anonymous. A request whose header
// is not a valid bearer token is refused, because its sender expects to be signed in. Tokens in
// other places, such as the URL, are ignored, because proxies log URLs. If tokens is nil, no token
// is checked.
func authenticate(tokens *token.Verifier) middleware {
	return func(next http.Handler) http.Handler {
		if tokens == nil {
			return next
		}
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			header, present := r.Header["Authorization"]
			if !present {
				next.ServeHTTP(w, r)
				return
			}
			text, err := token.Bearer(header)
			var who viewer.Viewer
			if err == nil {
				who, who.Issued, err = tokens.Verify(text)
			}
			_, unknown := errors.AsType[*token.UnknownError](err)
			switch {
			case err == nil:
				next.ServeHTTP(w, r.WithContext(viewer.NewContext(r.Context(), who)))
			case unknown || errors.Is(err, token.ErrNoKeys):
				graphqlhttp.RefuseForNow(w, r, err.Error())
			default:
				graphqlhttp.RefuseToken(w, r, err.Error())
			}
		})
	}
}
