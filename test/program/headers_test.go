package program

import (
	"net/http"
	"strings"
	"testing"
)

// TestHeadersFit counts the headers of an answer, without the one that net/http adds. With a ninth,
// Go's map of headers, and the copy that net/http makes of it, become several times as large.
func TestHeadersFit(t *testing.T) {
	t.Parallel()
	s := start(t, "AUTH=on", "AUTH_SECRET="+strings.Repeat("s", 32))
	got := s.Do(`{ users { nodes { id } } }`, nil)
	got.Header.Del("Date")
	if got.Status != http.StatusOK || len(got.Header) > 8 {
		t.Errorf("%s with %d headers, want at most 8: %v", got, len(got.Header), got.Header)
	}
}
