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

// Options are the settings for traces.
type Options struct {
	Endpoint string            // URL of the collector, usually with /v1/traces; "" for no traces
	Headers  map[string]string // are sent to the collector, such as a key
	Service  string            // the name of the service in traces
	Sampler  string            // one of Samplers
	Ratio    float64           // the part of the traces that the samplers with a ratio record
}

// Spans wait in a queue, from which they are sent in batches. A batch is sent when it is full, or
// when batchTime has passed. If the queue is full, further spans are dropped.
const (
	queueSize  = 4096
	batchSize  = 512
	batchTime  = 2 * time.Second
	exportTime = 10 * time.Second // for a batch, with all retries
	flushTime  = 5 * time.Second
)

// Provider makes spans and sends them. Making a span never waits for the collector.
type Provider struct {
	*trace.TracerProvider
	log *slog.Logger
}

// Start returns a provider that sends spans to the endpoint. The caller ends it with Stop. Start
// does not connect to the endpoint; later failures to send are logged. It returns an error if the
// endpoint or OTEL_RESOURCE_ATTRIBUTES is not valid.
func Start(ctx context.Context, o Options, log *slog.Logger) (*Provider, error) {
	redirectLog(log)
	exporter, err := otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(o.Endpoint), otlptracehttp.WithHeaders(o.Headers))
	if err != nil {
		return nil, err
	}
	about, err := resource.New(ctx, resource.WithTelemetrySDK(),
		resource.WithAttributes(semconv.ServiceName(o.Service), semconv.ServiceVersion(version())), resource.WithFromEnv())
	if errors.Is(err, resource.ErrPartialResource) { // the other parts cannot fail
		return nil, usage.Errorf("OTEL_RESOURCE_ATTRIBUTES=\"…\" is not allowed; allowed: NAME=VALUE, several with commas between them, percent-encoded")
	}
	if err != nil {
		return nil, err
	}
	provider := trace.NewTracerProvider(
		trace.WithResource(about),
		trace.WithSampler(o.sampler()),
		trace.WithBatcher(&loggingExporter{SpanExporter: exporter, log: log},
			trace.WithMaxQueueSize(queueSize), trace.WithMaxExportBatchSize(batchSize),
			trace.WithBatchTimeout(batchTime), trace.WithExportTimeout(exportTime)),
	)
	return &Provider{provider, log}, nil
}

// version returns the version of the binary.
func version() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		return info.Main.Version
	}
	return "unknown"
}

// Stop sends the spans in the queue, and returns after at most 5 seconds.
func (p *Provider) Stop() {
	ctx, cancel := context.WithTimeout(context.Background(), flushTime)
	defer cancel()
	if err := p.Shutdown(ctx); err != nil {
		p.log.Warn("not all traces could be sent", "error", err)
	}
}

// loggingExporter logs when spans cannot be sent, at most once a minute. It is not safe for
// concurrent use: the batch processor exports one batch at a time.
type loggingExporter struct {
	trace.SpanExporter
	log  *slog.Logger
	last time.Time // of the last line
	lost int       // spans that were not sent since then
}

// logInterval is the time between two lines of the log about failures.
const logInterval = time.Minute

// ExportSpans sends the spans. It returns no error, because the caller would only report it to
// OpenTelemetry's global handler.
func (e *loggingExporter) ExportSpans(ctx context.Context, spans []trace.ReadOnlySpan) error {
	err := e.SpanExporter.ExportSpans(ctx, spans)
	if err == nil {
		return nil
	}
	e.lost += len(spans)
	if time.Since(e.last) > logInterval {
		e.log.Warn("traces could not be sent", "spans", e.lost, "error", err)
		e.last, e.lost = time.Now(), 0
	}
	return nil
}
