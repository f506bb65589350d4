package httpserver

import (
	"bytes"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestPanicTold checks that a panic is logged with its place, and without its value unless that is the runtime's.
func TestPanicTold(t *testing.T) {
	t.Parallel()
	var none []int
	tests := []struct {
		name  string
		panic func()
		want  []string // none: nothing is logged
	}{
		{"text", func() { panic("5ecret") }, []string{"of type string", "panics_test.go"}},
		{"error", func() { panic(errors.New("5ecret")) }, []string{"of type *errors.errorString", "panics_test.go"}},
		{"runtime", func() { _ = none[7] }, []string{"index out of range [7]", "panics_test.go"}},
		{"given up", func() { panic(http.ErrAbortHandler) }, nil},
	}
	for _, tt := range tests {
		var log bytes.Buffer
		h := recoverPanics(slog.New(slog.NewJSONHandler(&log, nil)))(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { tt.panic() }))
		func() {
			defer func() {
				if value := recover(); value != http.ErrAbortHandler {
					t.Errorf("%s: went on as %v", tt.name, value)
				}
			}()
			h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("POST", "/graphql", nil))
		}()
		if strings.Contains(log.String(), "5ecret") || (log.Len() == 0) != (tt.want == nil) {
			t.Errorf("%s is logged as %s", tt.name, log.String())
		}
		for _, part := range tt.want {
			if !strings.Contains(log.String(), part) {
				t.Errorf("%s: the log is without %q: %s", tt.name, part, log.String())
			}
		}
	}
}
