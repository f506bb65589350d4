package httpserver

import (
	"errors"
	"net/http"
	"strings"

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
			text, err := bearerOf(header)
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

// These are the refusals of Authorization headers without a token.
const (
	errTwoHeaders token.Refusal = "there is more than one Authorization header"
	errScheme     token.Refusal = "the Authorization header does not say Bearer and a token"
)

// bearerOf returns the token in the values of an Authorization header
// (https://www.rfc-editor.org/rfc/rfc6750#section-2.1). It ignores the case of the scheme. It
// returns an error if there is not exactly one token.
func bearerOf(values []string) (string, error) {
	if len(values) != 1 {
		return "", errTwoHeaders
	}
	const scheme = "Bearer "
	value := values[0]
	if len(value) <= len(scheme) || !strings.EqualFold(value[:len(scheme)], scheme) {
		return "", errScheme
	}
	text := strings.TrimLeft(value[len(scheme):], " ")
	if text == "" {
		return "", errScheme
	}
	return text, nil
}
