package telemetry

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	semconv "go.opentelemetry.io/otel/semconv/v1.40.0"
	"go.opentelemetry.io/otel/trace"
)

// BatchSpan is the span of what is read at once for all rows of the level above. The zero BatchSpan is that of a request which is not traced.
type BatchSpan struct{ span trace.Span }

// StartBatch returns a context for reading the entities that an edge leads to from so many keys, or, without an edge, those of a root field.
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

// End ends the batch, which brought so many rows or failed.
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

// traceStatement makes the span of a statement that has just ended.
func (r *Record) traceStatement(ctx context.Context, text string, took time.Duration, err error) {
	end := time.Now()
	verb, _, _ := strings.Cut(text, " ")
	_, span := r.spans.tracer.spans.Start(ctx, verb, trace.WithSpanKind(trace.SpanKindClient), trace.WithTimestamp(end.Add(-took)),
		trace.WithAttributes(r.spans.tracer.system, semconv.DBOperationName(verb), semconv.DBQueryText(text)))
	if err != nil {
		span.SetStatus(codes.Error, "")
		span.SetAttributes(semconv.ErrorTypeKey.String(errorType(err)))
	}
	span.End(trace.WithTimestamp(end))
}

// errorType names an error without what it says, which may hold values: by its SQLSTATE, or else by its Go type.
func errorType(err error) string {
	if e, ok := errors.AsType[interface {
		error
		SQLState() string
	}](err); ok {
		return e.SQLState()
	}
	return fmt.Sprintf("%T", err)
}
