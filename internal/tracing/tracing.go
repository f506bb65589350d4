// Package tracing sends spans to an OpenTelemetry collector over OTLP/HTTP.
package tracing

import (
	"context"
	"errors"
	"log/slog"
	"runtime/debug"
	"time"

	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	"go.opentelemetry.io/otel/sdk/resource"
	"go.opentelemetry.io/otel/sdk/trace"
	semconv "go.opentelemetry.io/otel/semconv/v1.40.0"

	"forge/internal/usage"
)

// Options are the settings for traces.
type Options struct {
	Endpoint string            // the collector's URL, usually with /v1/traces; "" turns traces off
	Headers  map[string]string // headers to send to the collector; they may contain a key
	Service  string            // the name of this service in traces
	Sampler  string            // one of Samplers
	Ratio    float64           // for samplers with a ratio: the part of the traces to record
}

// Spans wait in a queue and are sent in batches. A batch is sent when it is full, or when batchTime
// has passed. While the queue is full, new spans are dropped.
const (
	queueSize  = 4096
	batchSize  = 512
	batchTime  = 2 * time.Second
	exportTime = 10 * time.Second // the time limit of a batch, with all retries
	flushTime  = 5 * time.Second
)

// Provider makes spans and sends them. Code that makes a span never waits for the collector.
type Provider struct {
	*trace.TracerProvider
	log *slog.Logger
}

// Start returns a provider that sends spans to the endpoint until Stop is called. It does not
// connect to the endpoint yet. If spans cannot be sent later, the provider logs that. Start returns
// an error if the endpoint or OTEL_RESOURCE_ATTRIBUTES is not valid.
func Start(ctx context.Context, o Options, log *slog.Logger) (*Provider, error) {
	redirectLog(log)
	exporter, err := otlptrace.New(ctx, newClient(o, log))
	if err != nil {
		return nil, err
	}
	about, err := resource.New(ctx, resource.WithTelemetrySDK(),
		resource.WithAttributes(semconv.ServiceName(o.Service), semconv.ServiceVersion(version())), resource.WithFromEnv())
	// Only the environment variable can be the reason for this error.
	if errors.Is(err, resource.ErrPartialResource) {
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

// version returns the version of this program, or "unknown".
func version() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		return info.Main.Version
	}
	return "unknown"
}

// Stop sends the spans that wait in the queue. It returns after 5 seconds at most.
func (p *Provider) Stop() {
	ctx, cancel := context.WithTimeout(context.Background(), flushTime)
	defer cancel()
	if err := p.Shutdown(ctx); err != nil {
		p.log.Warn("not all traces could be sent", "error", err)
	}
}

// loggingExporter logs that spans cannot be sent, but at most once a minute. It is not safe for
// concurrent use: the batch processor sends one batch at a time.
type loggingExporter struct {
	trace.SpanExporter
	log  *slog.Logger
	last time.Time // when the last line was logged
	lost int       // how many spans could not be sent since then
}

// logInterval is the shortest time between two log lines about spans that could not be sent.
const logInterval = time.Minute

// ExportSpans sends spans. It always returns nil, because OpenTelemetry would log an error for a
// second time.
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
