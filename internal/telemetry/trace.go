package telemetry

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"entgo.io/ent/dialect"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	semconv "go.opentelemetry.io/otel/semconv/v1.40.0"
	"go.opentelemetry.io/otel/trace"
)

// Tracer makes the traces of requests: a span for the request, one for its operation, below it one for each batch, and one for each
// statement. Names and attributes are those of OpenTelemetry's semantic conventions as far as these have them.
type Tracer struct {
	spans  trace.Tracer
	system attribute.KeyValue
}

// NewTracer returns a tracer that hands spans to the provider. kind is ent's name for the kind of database.
func NewTracer(provider trace.TracerProvider, kind string) *Tracer {
	system := semconv.DBSystemNamePostgreSQL
	if kind == dialect.SQLite {
		system = semconv.DBSystemNameSQLite
	}
	return &Tracer{provider.Tracer("forge", trace.WithSchemaURL(semconv.SchemaURL)), system}
}

// spans are those of a request that its record ends.
type spans struct {
	tracer             *Tracer // nil unless the request is traced
	request, operation trace.Span
	operationEnd       time.Time
}

// traceContext reads and writes W3C's traceparent and tracestate: https://www.w3.org/TR/trace-context/.
var traceContext = propagation.TraceContext{}

// Start begins the span of an HTTP request: one of the trace that the request names, and recorded if that one is, or of a new trace. The
// header of the answer names it, so that whoever asked finds it.
func (t *Tracer) Start(ctx context.Context, record *Record, request *http.Request, answer http.Header) context.Context {
	ctx = traceContext.Extract(ctx, propagation.HeaderCarrier(request.Header))
	ctx, span := t.spans.Start(ctx, "HTTP", trace.WithSpanKind(trace.SpanKindServer))
	traceContext.Inject(ctx, propagation.HeaderCarrier(answer))
	if span.IsRecording() {
		record.spans = spans{tracer: t, request: span}
		span.SetAttributes(semconv.HTTPRequestMethodKey.String(method(request.Method)), semconv.URLScheme("http"))
	}
	return ctx
}

// method returns an HTTP method, or _OTHER for what a client made up.
func method(m string) string {
	switch m {
	case http.MethodGet, http.MethodPost, http.MethodHead, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return m
	}
	return "_OTHER"
}

// verb returns how the name of a span begins. What a client made up is HTTP there, as semantic conventions have it.
func verb(m string) string {
	if method(m) == m {
		return m
	}
	return "HTTP"
}

// TraceID returns the ID of the trace that the request is recorded in, or "".
func (r *Record) TraceID() string {
	if r.spans.tracer == nil {
		return ""
	}
	return r.spans.request.SpanContext().TraceID().String()
}

// End ends the spans of the request and its operation. route is one of the few that the server has.
func (r *Record) End(route, id, method string, status int) {
	if r.spans.tracer == nil {
		return
	}
	if r.spans.operation != nil {
		r.endOperation()
	}
	span := r.spans.request
	span.SetName(verb(method) + " " + route)
	span.SetAttributes(semconv.HTTPRoute(route), semconv.URLPath(route), semconv.HTTPResponseStatusCode(status), attribute.String("forge.request.id", id))
	if r.Refused != "" {
		span.SetAttributes(attribute.String("forge.refused", string(r.Refused)))
	}
	if status >= http.StatusInternalServerError {
		span.SetStatus(codes.Error, "")
		span.SetAttributes(semconv.ErrorTypeKey.String(fmt.Sprint(status)))
	}
	if r.Code != "" {
		span.SetAttributes(attribute.String("forge.error.code", r.Code))
	}
	span.End()
}

// StartOperation returns a context for the execution of the operation.
func (r *Record) StartOperation(ctx context.Context) context.Context {
	if r == nil || r.spans.tracer == nil || r.Operation == nil {
		return ctx
	}
	ctx, r.spans.operation = r.spans.tracer.spans.Start(ctx, r.Operation.Kind)
	return ctx
}

// StopOperation notes that the operation has been executed.
func (r *Record) StopOperation() {
	if r != nil && r.spans.operation != nil {
		r.spans.operationEnd = time.Now()
	}
}

func (r *Record) endOperation() {
	span := r.spans.operation
	statements, _ := r.Database()
	span.SetAttributes(
		semconv.GraphQLOperationTypeKey.String(r.Operation.Kind),
		semconv.GraphQLOperationName(r.Operation.Name),
		attribute.String("graphql.document.hash", r.Document.Hash),
		attribute.Int("forge.attempts", r.Attempts),
		attribute.Int("forge.statements", statements),
	)
	if r.Code != "" {
		span.SetStatus(codes.Error, "")
		span.SetAttributes(semconv.ErrorTypeKey.String(r.Code))
	}
	if r.spans.operationEnd.IsZero() {
		r.spans.operationEnd = time.Now() // it ended in a panic
	}
	span.End(trace.WithTimestamp(r.spans.operationEnd))
}
