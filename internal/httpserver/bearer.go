package httpserver

import (
	"errors"
	"net/http"
	"strings"

	"forge/internal/graphqlhttp"
	"forge/internal/token"
	"forge/internal/viewer"
)

// bearer puts whose token a request has on its context. A request without the Authorization header is anonymous; one whose header is anything but
// a token that holds is refused, because its sender believes to be known. A token that is anywhere else, such as in the address, is not looked at:
// addresses are logged on the way.
type bearer struct {
	tokens *token.Verifier
	next   http.Handler
}

// withBearer returns next itself if tokens are not checked.
func withBearer(tokens *token.Verifier, next http.Handler) http.Handler {
	if tokens == nil {
		return next
	}
	return &bearer{tokens, next}
}

func (b *bearer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	sent, given := r.Header["Authorization"]
	if !given {
		b.next.ServeHTTP(w, r)
		return
	}
	text, err := bearerOf(sent)
	var who viewer.Viewer
	if err == nil {
		who, who.Issued, err = b.tokens.Verify(text)
	}
	_, unknown := errors.AsType[*token.UnknownError](err)
	switch {
	case err == nil:
		b.next.ServeHTTP(w, r.WithContext(viewer.NewContext(r.Context(), who)))
	case unknown || errors.Is(err, token.ErrNoKeys):
		graphqlhttp.RefuseForNow(w, r, err.Error())
	default:
		graphqlhttp.RefuseToken(w, r, err.Error())
	}
}

// What is refused without a look at the token.
const (
	errTwoHeaders token.Refusal = "there is more than one Authorization header"
	errScheme     token.Refusal = "the Authorization header does not say Bearer and a token"
)

// bearerOf returns the token of an Authorization header, https://www.rfc-editor.org/rfc/rfc6750#section-2.1. The scheme may be in small letters.
func bearerOf(sent []string) (string, error) {
	if len(sent) != 1 {
		return "", errTwoHeaders
	}
	const scheme = "Bearer "
	value := sent[0]
	if len(value) <= len(scheme) || !strings.EqualFold(value[:len(scheme)], scheme) {
		return "", errScheme
	}
	text := strings.TrimLeft(value[len(scheme):], " ")
	if text == "" {
		return "", errScheme
	}
	return text, nil
}
