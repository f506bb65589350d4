// Package requestid gives each HTTP request an ID by which its log lines, and an error that its sender was shown, are found.
package requestid

import (
	"net/http"

	"github.com/google/uuid"
)

// Header carries the ID, in the request if the sender or a proxy chose one, and in the response always.
const Header = "X-Request-Id"

// Of returns the ID that the request's sender or a proxy chose, or a new one.
func Of(r *http.Request) string {
	if id := r.Header.Get(Header); valid(id) {
		return id
	}
	return uuid.NewString()
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
