package httpserver

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/uuid"
)

// TestRequestID checks which IDs of senders are used. The others are replaced by UUIDs.
func TestRequestID(t *testing.T) {
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
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header[requestIDHeader] = []string{id}
		got := requestID(r)
		_, err := uuid.Parse(got)
		if (got == id) != taken || !taken && err != nil {
			t.Errorf("%q: the request has %q; should the ID be used: %t", id, got, taken)
		}
	}
}
