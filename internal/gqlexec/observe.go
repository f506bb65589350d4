package gqlexec

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"forge/internal/telemetry"
)

// observer is told of the answers that are made without a request of their own: for streams and
// webhooks. The zero observer tells nobody.
type observer struct {
	answered func(took time.Duration, r *telemetry.Record)
	tracer   atomic.Pointer[telemetry.Tracer]
}

// Observe has a function be called after each answer that was made for a stream or a webhook. An
// answer that several subscribers get is made once. It must be called before the first operation.
func (h *Handler) Observe(answered func(took time.Duration, r *telemetry.Record)) {
	h.executor.observer.answered = answered
}

// Trace has these answers be traced.
func (h *Handler) Trace(t *telemetry.Tracer) { h.executor.observer.tracer.Store(t) }

// begin begins a record of an answer to the operation of another record, and its span. end ends
// them.
func (o *observer) begin(ctx context.Context, of *telemetry.Record) (within context.Context, end func(*graphql.Response)) {
	began := time.Now()
	ctx, record := telemetry.NewContext(ctx, "")
	record.Answers(of)
	ctx = o.tracer.Load().StartAnswer(ctx, record)
	return record.StartOperation(ctx), func(response *graphql.Response) {
		o.end(record, began, response)
		record.EndAnswer()
	}
}

// end records an answer. Without a response, there is none.
func (o *observer) end(record *telemetry.Record, began time.Time, response *graphql.Response) {
	if record == nil || response == nil {
		return
	}
	code := ""
	if len(response.Errors) > 0 && response.Errors[0].Extensions["code"] != nil {
		code = fmt.Sprint(response.Errors[0].Extensions["code"])
	}
	record.Answer(code)
	if o.answered != nil {
		o.answered(time.Since(began), record)
	}
}
