package gqlexec

import (
	"context"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// step is the part of gqlgen's extensions that all steps of an operation have in common.
type step struct{}

// ExtensionName names the step for gqlgen, which looks no extension up by its name.
func (step) ExtensionName() string { return "Step" }

// Validate accepts every schema.
func (step) Validate(graphql.ExecutableSchema) error { return nil }

type requestStep struct {
	step
	check func(context.Context, *graphql.RawParams) *gqlerror.Error
}

// requestCheck returns a step that refuses requests, or completes them.
func requestCheck(check func(context.Context, *graphql.RawParams) *gqlerror.Error) graphql.HandlerExtension {
	return requestStep{check: check}
}

// MutateOperationParameters checks the request.
func (s requestStep) MutateOperationParameters(ctx context.Context, request *graphql.RawParams) *gqlerror.Error {
	return s.check(ctx, request)
}

type operationStep struct {
	step
	check func(context.Context, *graphql.OperationContext) *gqlerror.Error
}

// operationCheck returns a step that refuses operations, or prepares them.
func operationCheck(check func(context.Context, *graphql.OperationContext) *gqlerror.Error) graphql.HandlerExtension {
	return operationStep{check: check}
}

// MutateOperationContext checks the operation.
func (s operationStep) MutateOperationContext(ctx context.Context, op *graphql.OperationContext) *gqlerror.Error {
	return s.check(ctx, op)
}

type rootStep struct {
	step
	around graphql.RootFieldMiddleware
}

// aroundRoot returns a step around root fields.
func aroundRoot(middleware graphql.RootFieldMiddleware) graphql.HandlerExtension {
	return rootStep{around: middleware}
}

// InterceptRootField runs a root field within the step.
func (s rootStep) InterceptRootField(ctx context.Context, next graphql.RootResolver) graphql.Marshaler {
	return s.around(ctx, next)
}

type fieldStep struct {
	step
	around graphql.FieldMiddleware
}

// aroundField returns a step around the fields that gqlgen executes.
func aroundField(middleware graphql.FieldMiddleware) graphql.HandlerExtension {
	return fieldStep{around: middleware}
}

// InterceptField runs a field within the step.
func (s fieldStep) InterceptField(ctx context.Context, next graphql.Resolver) (any, error) {
	return s.around(ctx, next)
}

func passRoot(ctx context.Context, next graphql.RootResolver) graphql.Marshaler { return next(ctx) }

func passField(ctx context.Context, next graphql.Resolver) (any, error) { return next(ctx) }
