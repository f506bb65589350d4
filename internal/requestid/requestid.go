// Package requestid gives each HTTP request an ID by which its log lines, and an error that its sender was shown, are found.
package requestid

import (
	"context"
	"net/http"

	"github.com/google/uuid"
)

// Header carries the ID, in the request if the sender or a proxy chose one, and in the response always.
const Header = "X-Request-Id"

type contextKey struct{}

// Handle takes the ID from the header, or makes one, and puts it on the request's context.
func Handle(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := r.Header.Get(Header)
		if !valid(id) {
			id = uuid.NewString()
		}
		w.Header().Set(Header, id)
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), contextKey{}, id)))
	})
}

// valid keeps a sender from filling the log, or from forging lines in it.
func valid(id string) bool {
	if id == "" || len(id) > 128 {
		return false
	}
	for _, c := range []byte(id) {
		if c <= ' ' || c > '~' {
			return false
		}
	}
	return true
}

// FromContext returns the request's ID, or "" outside a request.
func FromContext(ctx context.Context) string {
	id, _ := ctx.Value(contextKey{}).(string)
	return id
}
