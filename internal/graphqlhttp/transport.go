// Package graphqlhttp carries GraphQL over HTTP as https://graphql.github.io/graphql-over-http/draft/ has it, for JSON.
//
// Where that draft has moved on from what its public audit suite checks, the suite is followed: clients are built against it.
package graphqlhttp

import (
	"context"
	"net/http"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"forge/internal/admission"
	"forge/internal/clientip"
	"forge/internal/telemetry"
)

// Transport answers every request, those that are not GraphQL too. It may be one of a gqlgen server's, or do without: see Handler.
type Transport struct {
	MaxBodyBytes int64 // a larger body is refused; 0 leaves the limit to whoever comes before
	// Gate lets operations in. What it turns away at once is not even read; else an operation counts from the end of its request to
	// the start of its answer, so that neither a slow sender nor a slow reader is in the way of others.
	Gate *admission.Gate
	// Unsent bounds the answers that wait for their readers; nil does not.
	Unsent *Unsent
}

var _ graphql.Transport = Transport{}

// Supports is true: what cannot be served is refused with a reason.
func (Transport) Supports(*http.Request) bool { return true }

// Do reads one operation from r, has exec run it, and writes the answer.
func (t Transport) Do(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor) {
	media, acceptable := negotiate(r.Header.Values("Accept"))
	a := newAnswer(w, media)
	a.record, a.ctx, a.unsent = telemetry.FromContext(r.Context()), r.Context(), t.Unsent
	if t.Gate.Full() {
		a.record.Refuse(telemetry.Overload)
		_, code := TurnAway(w, r)
		a.record.Answer(string(code))
		return
	}
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
	a.write(response)
}

// Executor runs operations, as gqlgen's executor.Executor does.
type Executor interface {
	graphql.GraphExecutor
	// PresentRecoveredError returns what a client is told of a panic.
	PresentRecoveredError(ctx context.Context, panicked any) error
}

// Handler returns a handler that has exec run all operations. A panic is answered with its error alone, and status 500.
func (t Transport) Handler(exec Executor) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			if panicked := recover(); panicked != nil {
				media, _ := negotiate(r.Header.Values("Accept"))
				err := gqlerror.WrapIfUnwrapped(exec.PresentRecoveredError(r.Context(), panicked))
				newAnswer(w, media).send(outcome{status: http.StatusInternalServerError}, &graphql.Response{Errors: gqlerror.List{err}})
			}
		}()
		t.Do(w, r, exec)
	})
}

// run runs the operation once it is let in. The response is complete.
func (t Transport) run(r *http.Request, record *telemetry.Record, params *graphql.RawParams, exec graphql.GraphExecutor) (*graphql.Response, *refusal) {
	ctx := graphql.StartOperationTrace(r.Context()) // gqlgen asks for it
	if err := t.Gate.Enter(ctx); err != nil {
		return nil, turnedAway(err)
	}
	defer t.Gate.Leave()
	op, errs := exec.CreateOperationContext(ctx, params)
	record.Runs(op.Operation)
	if len(errs) > 0 {
		response := exec.DispatchError(graphql.WithOperationContext(ctx, op), bounded(errs))
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
		return nil, givenUp
	}
	return response, nil
}
