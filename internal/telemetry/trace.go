package telemetry

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"entgo.io/ent/dialect"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	semconv "go.opentelemetry.io/otel/semconv/v1.40.0"
	"go.opentelemetry.io/otel/trace"
)

// Tracer makes the traces of requests. A request has a span. Below it is one for its operation, and
// below that one for each batch of rows and one for each statement. Names and attributes follow
// OpenTelemetry's semantic conventions, where there are any.
type Tracer struct {
	spans  trace.Tracer
	system attribute.KeyValue
}

// NewTracer returns a tracer that makes its spans with the provider. kind is ent's name for the
// kind of database.
func NewTracer(provider trace.TracerProvider, kind string) *Tracer {
	system := semconv.DBSystemNamePostgreSQL
	if kind == dialect.SQLite {
		system = semconv.DBSystemNameSQLite
	}
	return &Tracer{provider.Tracer("forge", trace.WithSchemaURL(semconv.SchemaURL)), system}
}

// spans holds the spans of a request.
type spans struct {
	tracer             *Tracer // nil unless the request is traced
	request, operation trace.Span
	operationEnd       time.Time
}

// traceContext reads and writes the headers traceparent and tracestate
// (https://www.w3.org/TR/trace-context/).
var traceContext = propagation.TraceContext{}

// Start begins the span of an HTTP request, and returns a context that carries it. If the request
// names a trace, the span belongs to that trace, and is recorded if that trace is. Otherwise a new
// trace begins. The headers of the answer name the trace, so that the client can find it.
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

// StartAnswer begins the span of an answer that is made without a request: for a stream or a
// webhook. It returns a context that carries the span. A nil Tracer begins none.
func (t *Tracer) StartAnswer(ctx context.Context, record *Record) context.Context {
	if t == nil {
		return ctx
	}
	ctx, span := t.spans.Start(ctx, "answer")
	if span.IsRecording() {
		record.spans = spans{tracer: t, request: span}
	}
	return ctx
}

// EndAnswer ends the spans of an answer and its operation.
func (r *Record) EndAnswer() {
	if r.spans.tracer == nil {
		return
	}
	if r.spans.operation != nil {
		r.endOperation()
	}
	if r.Code != "" {
		r.spans.request.SetAttributes(attribute.String("forge.error.code", r.Code))
	}
	r.spans.request.End()
}

// method returns an HTTP method, or _OTHER for an unknown one.
func method(m string) string {
	switch m {
	case http.MethodGet, http.MethodPost, http.MethodHead, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return m
	}
	return "_OTHER"
}

// verb returns the method for the name of a span. For an unknown method it returns HTTP, as the
// semantic conventions demand.
func verb(m string) string {
	if method(m) == m {
		return m
	}
	return "HTTP"
}

// TraceID returns the ID of the request's trace. It returns "" if the request is not traced.
func (r *Record) TraceID() string {
	if r.spans.tracer == nil {
		return ""
	}
	return r.spans.request.SpanContext().TraceID().String()
}

// End ends the spans of the request and its operation. route is the pattern of a route, and not a
// path that the client chose.
func (r *Record) End(route, id, method string, status int) {
	if r.spans.tracer == nil {
		return
	}
	if r.spans.operation != nil {
		r.endOperation()
	}
	span := r.spans.request
	span.SetName(verb(method) + " " + route)
	span.SetAttributes(semconv.HTTPRoute(route), semconv.URLPath(route),
		semconv.HTTPResponseStatusCode(status), attribute.String("forge.request.id", id))
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

// endOperation ends the span of the operation.
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
		r.spans.operationEnd = time.Now() // there was no answer
	}
	span.End(trace.WithTimestamp(r.spans.operationEnd))
}

// BatchSpan is the span of a batch. A batch holds the rows that one edge leads to from all parent
// rows, or the rows of a root field. The zero BatchSpan is for requests that are not traced.
type BatchSpan struct{ span trace.Span }

// StartBatch begins the span of a batch, and returns a context that carries it. The rows of the
// batch are of the entity, and the edge leads to them from keys parents. For a root field, edge is
// "".
func StartBatch(ctx context.Context, entity, edge string, keys int) (context.Context, BatchSpan) {
	r := FromContext(ctx)
	if r == nil || r.spans.tracer == nil {
		return ctx, BatchSpan{}
	}
	name := entity
	if edge != "" {
		name = edge
	}
	ctx, span := r.spans.tracer.spans.Start(ctx, "load "+name)
	span.SetAttributes(attribute.String("forge.batch.entity", entity), attribute.Int("forge.batch.keys", keys))
	if edge != "" {
		span.SetAttributes(attribute.String("forge.batch.edge", edge))
	}
	return ctx, BatchSpan{span}
}

// End ends the span of a batch. rows is the number of rows, and err the error if reading them
// failed.
func (b BatchSpan) End(rows int, err error) {
	if b.span == nil {
		return
	}
	b.span.SetAttributes(attribute.Int("forge.batch.rows", rows))
	if err != nil {
		b.span.SetStatus(codes.Error, "")
	}
	b.span.End()
}

// traceStatement adds the span of a statement that has just ended.
func (r *Record) traceStatement(ctx context.Context, text string, took time.Duration, err error) {
	end := time.Now()
	verb, _, _ := strings.Cut(text, " ")
	_, span := r.spans.tracer.spans.Start(ctx, verb,
		trace.WithSpanKind(trace.SpanKindClient), trace.WithTimestamp(end.Add(-took)),
		trace.WithAttributes(r.spans.tracer.system, semconv.DBOperationName(verb), semconv.DBQueryText(text)))
	if err != nil {
		span.SetStatus(codes.Error, "")
		span.SetAttributes(semconv.ErrorTypeKey.String(errorType(err)))
	}
	span.End(trace.WithTimestamp(end))
}

// errorType returns the SQLSTATE of an error. It returns the Go type if there is none. It never
// returns the message, which may contain values.
func errorType(err error) string {
	if e, ok := errors.AsType[interface {
		error
		SQLState() string
	}](err); ok {
		return e.SQLState()
	}
	return fmt.Sprintf("%T", err)
}
