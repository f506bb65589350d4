package httpserver

import (
	"errors"
	"net/http"

	"forge/internal/graphqlhttp"
	"forge/internal/token"
	"forge/internal/viewer"
)

// authenticate returns the middleware that verifies bearer tokens, and puts the viewer on the
// request's context. A request without an Authorization header is anonymous, unless it has the
// cookie of an access token. A request whose header is not a valid bearer token is refused, because
// its sender expects to be signed in. Tokens in other places, such as the URL, are ignored, because
// proxies log URLs. If p.Tokens is nil, no token is checked.
func authenticate(p Parts, allowed origins) middleware {
	return func(next http.Handler) http.Handler {
		if p.Tokens == nil {
			return next
		}
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			header, present := r.Header["Authorization"]
			if !present && p.Cookies != nil {
				r, present = fromCookie(p, allowed, w, r)
				header = r.Header["Authorization"]
			}
			if !present {
				next.ServeHTTP(w, r)
				return
			}
			text, err := token.Bearer(header)
			var who viewer.Viewer
			if err == nil {
				who, who.Issued, err = p.Tokens.Verify(text)
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

// fromCookie returns the request with the access token of its cookie in the Authorization header,
// where streams find it as well. It returns false if there is none. It also returns false if the
// token is not valid any more: a browser sends the cookie with each request, also with the one that
// asks for the next token.
func fromCookie(p Parts, allowed origins, w http.ResponseWriter, r *http.Request) (*http.Request, bool) {
	text := jarOf(p, allowed, w, r).Access()
	if text == "" {
		return r, false
	}
	if _, _, err := p.Tokens.Verify(text); err != nil {
		if _, refused := errors.AsType[token.Refusal](err); refused {
			return r, false
		}
	}
	with := r.Clone(r.Context())
	with.Header.Set("Authorization", "Bearer "+text)
	return with, true
}
