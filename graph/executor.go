package graph

import (
	"context"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/executor"
)

// operationExecutor checks operations as gqlgen does, and runs each as a unit of work. What gqlgen has besides, subscriptions and middleware around
// operations and their responses, has no user here, and would cost each of them its wrappings.
type operationExecutor struct {
	*executor.Executor
	operations *operations
}

// DispatchOperation returns what runs the operation, and the context to run it with.
func (e operationExecutor) DispatchOperation(ctx context.Context, op *graphql.OperationContext) (graphql.ResponseHandler, context.Context) {
	return e.operations.run, graphql.WithOperationContext(ctx, op)
}

// execute runs the operation that ctx is about, once. It returns nil if that was given up before.
func (o *operations) execute(ctx context.Context) *graphql.Response {
	if ctx.Err() != nil {
		return nil
	}
	ctx = graphql.WithResponseContext(ctx, o.present, recovered)
	response := o.schema.Exec(ctx)(ctx)
	response.Errors = append(response.Errors, graphql.GetErrors(ctx)...)
	response.Extensions = graphql.GetExtensions(ctx)
	return response
}
