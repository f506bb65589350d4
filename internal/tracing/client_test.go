package tracing_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"forge/internal/tracing"
)

// send makes one span called work for a collector, and returns the log.
func send(t *testing.T, collector http.HandlerFunc) string {
	t.Helper()
	server := httptest.NewServer(collector)
	defer server.Close()
	var log bytes.Buffer
	o := tracing.Options{Endpoint: server.URL + "/v1/traces", Service: "test", Headers: map[string]string{"Key": "of the setting"}}
	provider, err := tracing.Start(t.Context(), o, slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	_, span := provider.Tracer("test").Start(t.Context(), "work")
	span.End()
	provider.Stop()
	return log.String()
}

// TestSend has a collector that is busy at first, and gets the span at the second attempt.
func TestSend(t *testing.T) {
	t.Setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip")
	t.Setenv("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "Other=a%20b,Key=of%20the%20variable")
	attempts := 0
	var got tracepb.TracesData
	var header http.Header
	log := send(t, func(w http.ResponseWriter, r *http.Request) {
		if attempts++; attempts == 1 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		header = r.Header
		unzipped, err := gzip.NewReader(r.Body)
		if err != nil {
			t.Error(err)
			return
		}
		body, err := io.ReadAll(unzipped)
		if err != nil || proto.Unmarshal(body, &got) != nil {
			t.Errorf("the body is no request: %v", err)
		}
	})
	if attempts != 2 || log != "" {
		t.Errorf("%d attempts, want 2; the log: %s", attempts, log)
	}
	if header.Get("Key") != "of the setting" || header.Get("Other") != "a b" || header.Get("Content-Type") != "application/x-protobuf" {
		t.Errorf("the headers are %v", header)
	}
	if name := got.GetResourceSpans()[0].GetScopeSpans()[0].GetSpans()[0].GetName(); name != "work" {
		t.Errorf("the span is %q", name)
	}
}

// TestSendBad has collectors that refuse, take a part, answer with what is no message, and want the
// spans and their key sent elsewhere.
func TestSendBad(t *testing.T) {
	t.Parallel()
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the redirect is followed") }))
	defer elsewhere.Close()
	protobuf := func(status int, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/x-protobuf")
			w.Header().Set("Location", elsewhere.URL)
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body)
		}
	}
	for _, c := range []struct {
		status     int
		body, want string
	}{
		{http.StatusBadRequest, "secret", "400 Bad Request"},
		{http.StatusTemporaryRedirect, "", "307 Temporary Redirect"},
		{http.StatusOK, "\x0a\x02\x08\x07", "spans=7"},
		{http.StatusOK, "\x0a\x09\x12\x05a few\x08\x07", "spans=7"},
		{http.StatusOK, "\x0a\x02\x08\x00", ""},
		{http.StatusOK, "\x0a\x7f\x08", ""},
		{http.StatusOK, "\xff\xff\xff", ""},
		{http.StatusOK, "<html>", ""},
	} {
		log := send(t, protobuf(c.status, c.body))
		if !strings.Contains(log, c.want) || c.want == "" && log != "" || strings.Contains(log, "secret") {
			t.Errorf("%d %q: the log is %q, want %q in it", c.status, c.body, log, c.want)
		}
	}
}
