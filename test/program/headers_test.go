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
	res, err := http.Post(s.url+"/graphql", "application/json", strings.NewReader(`{"query":"{ users { nodes { id } } }"}`))
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	res.Header.Del("Date")
	if res.StatusCode != http.StatusOK || len(res.Header) > 8 {
		t.Errorf("%s with %d headers, want at most 8: %v", res.Status, len(res.Header), res.Header)
	}
}
