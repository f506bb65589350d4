// Package tracing sends spans to an OpenTelemetry collector over OTLP/HTTP.
package tracing

import (
	"context"
	"errors"
	"log/slog"
	"runtime/debug"
	"time"

	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	"go.opentelemetry.io/otel/sdk/trace"
	semconv "go.opentelemetry.io/otel/semconv/v1.40.0"

	"forge/internal/usage"
)

// Options say where traces go.
type Options struct {
	Endpoint string            // URL, /v1/traces as a rule; "" for no traces
	Headers  map[string]string // sent along, such as a key for the collector
	Service  string            // what traces go by
	Sampler  string            // one of Samplers
	Ratio    float64           // of the traces that are recorded, for the samplers that go by it
}

// Spans wait for the collector, so many of them at most; what comes then is dropped. They are sent in batches, all that there are
// after a time.
const (
	waiting    = 4096
	batchSize  = 512
	batchTime  = 2 * time.Second
	exportTime = 10 * time.Second // for a batch, with what is tried again
	flushTime  = 5 * time.Second
)

// Provider makes spans and sends them. It never holds up who makes them.
type Provider struct {
	*trace.TracerProvider
	log *slog.Logger
}

// Start returns a provider that sends to the endpoint, which it does not connect to yet. End it with Stop. Failures to send are logged.
func Start(ctx context.Context, o Options, log *slog.Logger) (*Provider, error) {
	listen(log)
	exporter, err := otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(o.Endpoint), otlptracehttp.WithHeaders(o.Headers))
	if err != nil {
		return nil, err
	}
	about, err := resource.New(ctx, resource.WithTelemetrySDK(),
		resource.WithAttributes(semconv.ServiceName(o.Service), semconv.ServiceVersion(version())), resource.WithFromEnv())
	if errors.Is(err, resource.ErrPartialResource) { // all else that it is made of cannot fail
		return nil, usage.Errorf("OTEL_RESOURCE_ATTRIBUTES=\"…\" is not allowed; allowed: NAME=VALUE, several with commas between them, percent-encoded")
	}
	if err != nil {
		return nil, err
	}
	provider := trace.NewTracerProvider(
		trace.WithResource(about),
		trace.WithSampler(o.sampler()),
		trace.WithBatcher(&loggingExporter{SpanExporter: exporter, log: log}, trace.WithMaxQueueSize(waiting), trace.WithMaxExportBatchSize(batchSize),
			trace.WithBatchTimeout(batchTime), trace.WithExportTimeout(exportTime)),
	)
	return &Provider{provider, log}, nil
}

func version() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		return info.Main.Version
	}
	return "unknown"
}

// Stop sends what waits, for 5 seconds at most.
func (p *Provider) Stop() {
	ctx, cancel := context.WithTimeout(context.Background(), flushTime)
	defer cancel()
	if err := p.Shutdown(ctx); err != nil {
		p.log.Warn("not all traces could be sent", "error", err)
	}
}

// loggingExporter logs what could not be sent, at most once in a while.
type loggingExporter struct {
	trace.SpanExporter
	log  *slog.Logger
	last time.Time // the batch processor exports one batch at a time
	lost int
}

// quiet is how long nothing is said after a failure was logged.
const quiet = time.Minute

// ExportSpans sends the spans. It always succeeds for its caller, who would only report a failure to OpenTelemetry's global handler.
func (e *loggingExporter) ExportSpans(ctx context.Context, spans []trace.ReadOnlySpan) error {
	err := e.SpanExporter.ExportSpans(ctx, spans)
	if err == nil {
		return nil
	}
	e.lost += len(spans)
	if time.Since(e.last) > quiet {
		e.log.Warn("traces could not be sent", "spans", e.lost, "error", err)
		e.last, e.lost = time.Now(), 0
	}
	return nil
}
