package tracing_test

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"forge/internal/tracing"
)

// TestProviderWithoutCollector makes more spans than the queue holds, for a collector that does not
// answer, and for one that does not exist. Neither the code that makes spans nor Stop is held up,
// and the log says why nothing was sent.
func TestProviderWithoutCollector(t *testing.T) {
	t.Parallel()
	asked := make(chan struct{}, 1)
	over := make(chan struct{})
	hanging := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		select {
		case asked <- struct{}{}:
		default:
		}
		<-over
	}))
	defer hanging.Close()
	defer close(over)
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	for name, url := range map[string]string{"hangs": hanging.URL, "is gone": gone.URL} {
		t.Run(name, func(t *testing.T) {
			var log bytes.Buffer
			provider, err := tracing.Start(t.Context(), tracing.Options{Endpoint: url, Service: "test"}, slog.New(slog.NewTextHandler(&log, nil)))
			if err != nil {
				t.Fatal(err)
			}
			for range 20_000 {
				_, span := provider.Tracer("test").Start(t.Context(), "span")
				span.End()
			}
			if name == "hangs" {
				<-asked
			}
			provider.Stop()
			if !strings.Contains(log.String(), "level=WARN") {
				t.Errorf("the log says nothing: %s", log.String())
			}
		})
	}
}
