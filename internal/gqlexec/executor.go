package gqlexec

import (
	"context"
	"log/slog"
	"slices"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"forge/internal/database"
	"forge/internal/read"
	"forge/internal/read/binding"
	"forge/internal/telemetry"
	"forge/internal/write"
)

// executor checks operations, and runs each as one unit of work. It replaces gqlgen's executor,
// because nothing here uses middlewares around operations and responses, and subscriptions are run
// in another way; see Handler.Subscribe.
type executor struct {
	options Options
	api     API
	schema  graphql.ExecutableSchema
	db      *database.DB
	engine  *read.Engine
	writes  map[string]*write.Mutation // the standard mutations
	present *presenter
	log     *slog.Logger

	observer observer

	checks []check
	root   graphql.RootFieldMiddleware
	field  graphql.FieldMiddleware
}

// check returns errors if a request must be refused. Otherwise it may add to the operation what it
// found out.
type check func(context.Context, *checked) gqlerror.List

// checksOf returns the checks that are not nil.
func checksOf(all ...check) []check {
	return slices.DeleteFunc(all, func(c check) bool { return c == nil })
}

// checked is an operation that is being checked.
type checked struct {
	*graphql.OperationContext
	request  *graphql.RawParams
	document document
	roots    []*ast.Field // the root fields, merged
	live     []*ast.Field // the fields of Query in a subscription to live, merged
	binding  *binding.Binding
}

// CreateOperationContext runs the checks on a request. It returns the errors of the first check
// that fails, with an operation that is incomplete.
func (e *executor) CreateOperationContext(ctx context.Context, request *graphql.RawParams) (*graphql.OperationContext, gqlerror.List) {
	c := &checked{request: request, OperationContext: &graphql.OperationContext{
		OperationName:          request.OperationName,
		Extensions:             request.Extensions,
		Headers:                request.Headers,
		DisableIntrospection:   !e.options.Development,
		RecoverFunc:            recovered,
		RootResolverMiddleware: e.root,
		ResolverMiddleware:     e.field,
	}}
	ctx = graphql.WithOperationContext(ctx, c.OperationContext)
	var errs gqlerror.List
	for i := 0; i < len(e.checks) && len(errs) == 0; i++ {
		errs = e.checks[i](ctx, c)
	}
	if c.document.named != nil {
		telemetry.FromContext(ctx).Runs(c.document.named, c.Operation)
	}
	return c.OperationContext, errs
}

// DispatchError returns the answer to a request that a check has refused.
func (e *executor) DispatchError(ctx context.Context, errs gqlerror.List) *graphql.Response {
	ctx = graphql.WithResponseContext(ctx, e.present.error, recovered)
	for _, err := range errs {
		graphql.AddError(ctx, err)
	}
	return &graphql.Response{Errors: graphql.GetErrors(ctx), Extensions: graphql.GetExtensions(ctx)}
}

// PresentRecoveredError returns the error that a client gets for a panic.
func (e *executor) PresentRecoveredError(ctx context.Context, panicked any) error {
	return e.present.error(ctx, recovered(ctx, panicked))
}

// MaxAge returns for how many seconds caches may keep the answer to a query; see
// read.Engine.MaxAge.
func (e *executor) MaxAge(op *graphql.OperationContext) int {
	if explains(op) {
		return 0
	}
	return e.engine.MaxAge(op)
}

// findText returns a check that finds the text of the document if the request only names it. All
// other checks need the text.
func findText(documents graphql.OperationParameterMutator) check {
	return func(ctx context.Context, c *checked) gqlerror.List {
		if err := documents.MutateOperationParameters(ctx, c.request); err != nil {
			return gqlerror.List{err}
		}
		c.RawQuery = c.request.Query
		return nil
	}
}

// aroundRoot returns one root field middleware that calls several, the outermost first.
func aroundRoot(all ...graphql.RootFieldMiddleware) graphql.RootFieldMiddleware {
	chain := func(ctx context.Context, next graphql.RootResolver) graphql.Marshaler { return next(ctx) }
	for _, around := range slices.Backward(all) {
		inner := chain
		chain = func(ctx context.Context, next graphql.RootResolver) graphql.Marshaler {
			return around(ctx, func(ctx context.Context) graphql.Marshaler { return inner(ctx, next) })
		}
	}
	return chain
}

// aroundFields returns one field middleware that calls several, the outermost first.
func aroundFields(all ...graphql.FieldMiddleware) graphql.FieldMiddleware {
	chain := func(ctx context.Context, next graphql.Resolver) (any, error) { return next(ctx) }
	for _, around := range slices.Backward(all) {
		inner := chain
		chain = func(ctx context.Context, next graphql.Resolver) (any, error) {
			return around(ctx, func(ctx context.Context) (any, error) { return inner(ctx, next) })
		}
	}
	return chain
}
