// Package graphqlhttp carries GraphQL over HTTP as https://graphql.github.io/graphql-over-http/draft/ has it, for JSON.
//
// Where that draft has moved on from what its public audit suite checks, the suite is followed: clients are built against it.
package graphqlhttp

import (
	"net/http"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"forge/internal/telemetry"
)

// Transport answers every request that reaches a gqlgen server, those that are not GraphQL too.
type Transport struct {
	MaxBodyBytes int64 // a larger body is refused; 0 leaves the limit to whoever comes before
}

var _ graphql.Transport = Transport{}

// Supports is true: what cannot be served is refused with a reason.
func (Transport) Supports(*http.Request) bool { return true }

// Do reads one operation from r, has exec run it, and writes the answer.
func (t Transport) Do(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor) {
	media, acceptable := negotiate(r.Header.Values("Accept"))
	a := newAnswer(w, media)
	a.record = telemetry.FromContext(r.Context())
	params, refused := t.read(w, r, acceptable)
	if refused != nil {
		a.refuse(refused)
		return
	}
	ctx := r.Context()
	op, errs := exec.CreateOperationContext(ctx, params)
	a.record.Runs(op.Operation)
	if len(errs) > 0 {
		response := exec.DispatchError(graphql.WithOperationContext(ctx, op), errs)
		response.Data = nil // nothing was executed
		a.write(response)
		return
	}
	if r.Method == http.MethodGet && op.Operation.Operation != ast.Query {
		a.refuse(notByGet(op.Operation.Operation))
		return
	}
	responses, ctx := exec.DispatchOperation(ctx, op)
	response := responses(ctx)
	if response == nil {
		a.refuse(givenUp)
		return
	}
	a.write(response)
}
