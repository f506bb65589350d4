package tracing_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"go.opentelemetry.io/otel"

	"forge/internal/tracing"
	"forge/internal/usage"
)

// TestStartBadVariables has OpenTelemetry read environment variables that it does not understand.
// The log says so, in the format of all its lines and without the values.
func TestStartBadVariables(t *testing.T) {
	t.Setenv("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "authorization=Bearer%20s3cret%zz")
	t.Setenv("OTEL_EXPORTER_OTLP_CERTIFICATE", "/none/such.pem")
	var log bytes.Buffer
	o := tracing.Options{Endpoint: "http://127.0.0.1:1", Service: "test"}
	provider, err := tracing.Start(t.Context(), o, slog.New(slog.NewJSONHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	provider.Stop()
	otel.Handle(errors.New("the collector took a part"))
	for _, words := range []string{"OTEL_", "OTEL_EXPORTER_OTLP_TRACES_HEADERS", "/none/such.pem", "the collector took a part"} {
		if !strings.Contains(log.String(), words) {
			t.Errorf("the log has no %q: %s", words, log.String())
		}
	}
	for line := range strings.Lines(log.String()) {
		if !json.Valid([]byte(line)) {
			t.Errorf("not JSON: %s", line)
		}
	}
	if strings.Contains(log.String(), "s3cret") {
		t.Errorf("the log has the header's value: %s", log.String())
	}

	t.Setenv("OTEL_RESOURCE_ATTRIBUTES", "s3cret")
	_, err = tracing.Start(t.Context(), o, slog.New(slog.DiscardHandler))
	if _, mistake := errors.AsType[*usage.Error](err); !mistake || !strings.Contains(err.Error(), "OTEL_RESOURCE_ATTRIBUTES") || strings.Contains(err.Error(), "s3cret") {
		t.Errorf("a start with attributes that are none: %v", err)
	}
}
