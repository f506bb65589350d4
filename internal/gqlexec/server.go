// Package gqlexec checks GraphQL operations and runs them, each as one unit of work.
//
// It knows nothing of the API that it serves: see API. New lists all that an operation
// passes, in order.
package gqlexec

import (
	"cmp"
	"log/slog"
	"net/http"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/executor"

	"forge/internal/admission"
	"forge/internal/database"
	"forge/internal/graphqlhttp"
	"forge/internal/idempotency"
	"forge/internal/persisted"
)

// Options are the settings of a server. The zero value sets no limits.
type Options struct {
	// Development turns on introspection and hints in errors, and adds to each answer how many
	// statements and points of cost the operation took.
	Development bool
	// HeldTooLong is for how long an operation may hold its connection before a warning is logged;
	// 0 logs none.
	HeldTooLong time.Duration
	// RequestTimeout is the time after which an operation is stopped; 0 stands for never.
	RequestTimeout time.Duration
	// Limits bound what one operation may ask for.
	Limits Limits

	// IdempotencyTTL is how long the answer to a mutation with an idempotency key is stored.
	IdempotencyTTL time.Duration
	// Idempotency bounds what is stored under idempotency keys.
	Idempotency idempotency.Limits

	// Documents says which documents are accepted and how they may be named: an extension of
	// package persisted. With nil, each request has to bring its own document, and any is accepted.
	Documents graphql.HandlerExtension
	// MaxBodyBytes bounds the body of a request; 0 stands for no limit.
	MaxBodyBytes int64
	// Admission admits operations; nil admits all.
	Admission *admission.Limiter
	// Unsent bounds the answers that wait for slow clients; nil does not.
	Unsent *graphqlhttp.Unsent

	// UnsharedReads has each request read for itself, even if another one reads the same just now.
	UnsharedReads bool
	// CursorKey encrypts cursors: 32 bytes, the same for all servers of an API. Without one,
	// clients can decode the values in a cursor, which suits an API that shows everything to
	// everybody.
	CursorKey []byte
}

// New returns the HTTP handler of the API on db. It panics with the error of
// API.Check if there is one: call that first.
func New(api API, db *database.DB, opts Options, log *slog.Logger) http.Handler {
	return newExecutor(api, db, opts, log).handler()
}

// newExecutor returns the executor of the API. Here, and nowhere else, stands what an
// operation passes.
func newExecutor(api API, db *database.DB, opts Options, log *slog.Logger) operationExecutor {
	schema := api.executable()
	engine, err := api.engine(schema.Schema(), opts)
	if err != nil {
		panic(err)
	}
	mutate, read := graphql.RootFieldMiddleware(engine.Mutate), graphql.FieldMiddleware(engine.Read)
	if api.WithoutEngine {
		mutate, read = passRoot, passField
	} else {
		schema = executable{schema, engine}
	}
	present := newPresenter(api, opts, log)
	validate := validation{Validator{schema.Schema(), opts.Limits.Tokens, opts.Development}, newDocumentCache(engine)}

	exec := executor.New(schema)
	exec.SetQueryCache(prepared{})
	exec.SetErrorPresenter(present.error)
	exec.SetRecoverFunc(recovered)
	steps := []graphql.HandlerExtension{
		introspectionSwitch(opts.Development),

		// These look at the request, before there is an operation.
		// The first finds the text of a hash. Nesting is checked before anything follows brackets
		// down. The last parses and validates the document, unless it is cached.
		cmp.Or[graphql.HandlerExtension](opts.Documents, persisted.Off{}),
		requestCheck(checkNesting),
		requestCheck(validate.document),

		// These look at the operation and the values of its variables, as gqlgen has converted
		// them.
		operationCheck(checkArgumentCount), // first, because the others take time for each value
		operationCheck(variables{schema.Schema()}.check),
		operationCheck(checkNulls),
		operationCheck(prepare{engine}.check), // before anything else asks the engine about the operation
		operationCheck(limiter{opts.Limits, engine, opts.Development}.check),

		// These stand around each root field, the outermost first.
		aroundRoot(stopAfterFailure), // runs nothing of a mutation after a failure
		aroundRoot(api.authorize),    // before arguments are decoded
		aroundRoot(api.switchViewer), // whoever signs in sees the answer as themselves
		aroundRoot(mutate),           // tells the resolver's statements what the payload shows

		// These stand around each field that gqlgen executes, the outermost first.
		aroundField(introspectAsSpecified),
		aroundField(countField), // stops once the answer is too large
		aroundField(read),       // reads the selection of what a resolver refers to
	}
	for _, around := range api.Fields {
		steps = append(steps, aroundField(around))
	}
	for _, step := range steps {
		exec.Use(step)
	}
	return operationExecutor{exec, &operations{options: opts, api: api, schema: schema, db: db, engine: engine, present: present, log: log}}
}

// handler returns the HTTP handler of the API.
func (e operationExecutor) handler() http.Handler {
	o := e.operations
	return graphqlhttp.Transport{MaxBodyBytes: o.options.MaxBodyBytes, Admission: o.options.Admission, Unsent: o.options.Unsent}.Handler(e)
}
