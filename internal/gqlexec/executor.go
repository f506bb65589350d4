package gqlexec

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/executor"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"forge/internal/budget"
)

// operationExecutor checks operations as gqlgen does, and runs each as a unit of work. It leaves
// out gqlgen's subscriptions and the middleware around operations and responses, which nothing uses
// and each operation would pay for.
type operationExecutor struct {
	*executor.Executor
	operations *operations
}

// CreateOperationContext checks a request as gqlgen does. It corrects gqlgen's errors: it quotes a
// number that is no Int as the client wrote it, and names the argument that takes the value of a
// variable.
func (e operationExecutor) CreateOperationContext(ctx context.Context, request *graphql.RawParams) (*graphql.OperationContext, gqlerror.List) {
	op, errs := e.Executor.CreateOperationContext(ctx, request)
	errs = allOf(errs)
	for _, err := range errs {
		if len(err.Path) < 2 || err.Path[0] != ast.PathName("variable") {
			continue
		}
		if number, ok := valueAt(request.Variables, err.Path[1:]).(json.Number); ok && strings.HasSuffix(err.Message, " as Int") {
			err.Message = notInt(string(number))
		}
		if name, ok := err.Path[1].(ast.PathName); ok && op != nil {
			err.Path[1] = ast.PathName(argumentOf(op.Operation, string(name)))
		}
	}
	return op, errs
}

// valueAt returns the value at a path in another value, or nil.
func valueAt(value any, path ast.Path) any {
	for _, step := range path {
		switch step := step.(type) {
		case ast.PathName:
			members, _ := value.(map[string]any)
			value = members[string(step)]
		case ast.PathIndex:
			if list, ok := value.([]any); ok && int(step) < len(list) {
				value = list[step]
			}
		}
	}
	return value
}

// DispatchOperation returns the handler that runs the operation, and the context for it.
func (e operationExecutor) DispatchOperation(ctx context.Context, op *graphql.OperationContext) (graphql.ResponseHandler, context.Context) {
	return e.operations.run, graphql.WithOperationContext(ctx, op)
}

// execute runs the operation of ctx once. It returns nil if ctx has ended before.
func (o *operations) execute(ctx context.Context) *graphql.Response {
	if ctx.Err() != nil {
		return nil
	}
	ctx = graphql.WithResponseContext(ctx, o.presentSome, recovered)
	response := o.schema.Exec(ctx)(ctx)
	response.Errors = withLeftOut(append(response.Errors, graphql.GetErrors(ctx)...), budget.FromContext(ctx))
	response.Extensions = graphql.GetExtensions(ctx)
	return response
}
