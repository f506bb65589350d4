package requestid_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/uuid"

	"forge/internal/requestid"
)

// TestHandle sends IDs, and checks which are taken; the others are replaced by UUIDs.
func TestHandle(t *testing.T) {
	t.Parallel()
	for id, taken := range map[string]bool{
		"a":                           true,
		"6f1c:/+=~!":                  true,
		strings.Repeat("x", 128):      true,
		strings.Repeat("x", 129):      false,
		"":                            false,
		"two words":                   false,
		"a\"} {\"level\":\"ERROR\"\n": false,
		"tab\t":                       false,
		"caf\u00e9":                   false,
		"\x7f":                        false,
	} {
		var seen string
		handler := requestid.Handle(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { seen = requestid.FromContext(r.Context()) }))
		r, w := httptest.NewRequest(http.MethodGet, "/", nil), httptest.NewRecorder()
		r.Header[requestid.Header] = []string{id}
		handler.ServeHTTP(w, r)
		_, err := uuid.Parse(seen)
		if (seen == id) != taken || !taken && err != nil || w.Header().Get(requestid.Header) != seen {
			t.Errorf("%q: the request has %q, the answer %q; is it to be taken: %t", id, seen, w.Header().Get(requestid.Header), taken)
		}
	}
}
