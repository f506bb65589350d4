// Package graphqlhttp carries GraphQL over HTTP, with JSON bodies, as
// https://graphql.github.io/graphql-over-http/draft/ specifies it.
//
// Where that draft has moved on from what its public audit suite checks, the package follows the
// suite, because clients are built against it.
package graphqlhttp

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"sync"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"forge/internal/admission"
	"forge/internal/clientip"
	"forge/internal/telemetry"
)

// Transport answers all requests for a path, also those that are not GraphQL. It is used as a
// handler (see Handler), or as a transport of a gqlgen server.
type Transport struct {
	MaxBodyBytes int64 // a larger body is refused; 0: there is no limit here
	// Admission limits how many operations run. An operation counts from the end of its request to
	// the start of its answer, so that neither a slow sender nor a slow reader holds a place. A
	// request that comes while the queue is full should be refused earlier, by the load shedding in
	// package httpserver.
	Admission *admission.Limiter
	Unsent    *Unsent // limits the answers that wait for their readers; nil: no limit
}

var _ graphql.Transport = Transport{}

// Supports returns true: what cannot be served is refused with a reason.
func (Transport) Supports(*http.Request) bool { return true }

// Executor runs operations, as gqlgen's executor.Executor does.
type Executor interface {
	graphql.GraphExecutor
	// PresentRecoveredError returns the error that a client gets for a panic.
	PresentRecoveredError(ctx context.Context, panicked any) error
}

// Handler returns a handler that runs all operations with exec. The answer to a panic has an error
// alone, and status 500.
func (t Transport) Handler(exec Executor) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			if panicked := recover(); panicked != nil {
				media, _ := negotiate(r.Header.Values("Accept"))
				err := gqlerror.WrapIfUnwrapped(exec.PresentRecoveredError(r.Context(), panicked))
				newAnswer(w, media).send(outcome{status: http.StatusInternalServerError},
					&graphql.Response{Errors: gqlerror.List{err}})
			}
		}()
		t.Do(w, r, exec)
	})
}

// Do reads one operation from r, runs it with exec, and writes the answer.
func (t Transport) Do(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor) {
	media, acceptable := negotiate(r.Header.Values("Accept"))
	a := newAnswer(w, media)
	a.record, a.ctx, a.unsent = telemetry.FromContext(r.Context()), r.Context(), t.Unsent
	params, refused := t.read(w, r, acceptable)
	if refused != nil {
		a.refuse(refused)
		return
	}
	response, refused := t.run(r, a.record, params, exec)
	if refused != nil {
		a.refuse(refused)
		return
	}
	a.send(outcomeOf(response, media), response)
}

// run runs the operation as soon as it is admitted, and returns the complete response.
func (t Transport) run(r *http.Request, record *telemetry.Record, params *graphql.RawParams, exec graphql.GraphExecutor) (*graphql.Response, *refusal) {
	ctx := graphql.StartOperationTrace(r.Context()) // gqlgen requires it
	if err := t.Admission.Acquire(ctx); err != nil {
		if errors.Is(err, admission.ErrFull) || errors.Is(err, admission.ErrTimeout) {
			return nil, overloaded
		}
		return nil, cancelled
	}
	defer t.Admission.Release()
	op, errs := exec.CreateOperationContext(ctx, params)
	record.Runs(op.Operation)
	if len(errs) > 0 {
		response := exec.DispatchError(graphql.WithOperationContext(ctx, op), limitErrors(errs))
		response.Data = nil // nothing was executed
		return response, nil
	}
	if r.Method == http.MethodGet && op.Operation.Operation != ast.Query {
		return nil, notByGet(op.Operation.Operation)
	}
	if op.Operation.Operation == ast.Mutation {
		ctx = clientip.NewContext(ctx, r)
	}
	responses, ctx := exec.DispatchOperation(ctx, op)
	response := responses(ctx)
	if response == nil {
		return nil, cancelled
	}
	return response, nil
}

// buffers has the buffers for the bodies of requests and answers.
var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// maxPooled is the largest buffer that is used again, so that one large answer does not hold its
// memory for ever.
const maxPooled = 1 << 20

// release puts the buffer back. Nobody may use it or its bytes afterwards.
func release(b *bytes.Buffer) {
	if b.Cap() <= maxPooled {
		b.Reset()
		buffers.Put(b)
	}
}
