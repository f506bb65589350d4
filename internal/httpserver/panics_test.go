package httpserver

import (
	"bytes"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"forge/internal/database"
	"forge/internal/metrics"
)

// TestObserverPanics checks that a panic is logged with its place in the code, and without its
// value unless that comes from the runtime.
func TestObserverPanics(t *testing.T) {
	t.Parallel()
	db, err := database.Open("sqlite::memory:", database.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	counted := metrics.New(db)
	var none []int
	tests := []struct {
		name  string
		panic func()
		want  []string // nil: nothing is logged
	}{
		{"text", func() { panic("5ecret") }, []string{"of type string", "panics_test.go"}},
		{"error", func() { panic(errors.New("5ecret")) }, []string{"of type *errors.errorString", "panics_test.go"}},
		{"runtime", func() { _ = none[7] }, []string{"index out of range [7]", "panics_test.go"}},
		{"abort", func() { panic(http.ErrAbortHandler) }, nil},
	}
	for _, tt := range tests {
		var log bytes.Buffer
		panicking := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { tt.panic() })
		errorsOnly := slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelError})
		h := observe(Parts{Metrics: counted, Log: slog.New(errorsOnly)})(panicking)
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
