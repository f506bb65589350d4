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
	e := newExecutor(api, db, opts, log)
	return graphqlhttp.Transport{MaxBodyBytes: opts.MaxBodyBytes, Admission: opts.Admission, Unsent: opts.Unsent}.Handler(e)
}

// newExecutor returns the executor of the API. Here, and nowhere else, stands what an
// operation passes.
func newExecutor(api API, db *database.DB, opts Options, log *slog.Logger) *executor {
	executable := api.executable()
	schema := executable.Schema()
	engine, err := api.engine(schema, opts)
	if err != nil {
		panic(err)
	}
	e := &executor{options: opts, api: api, schema: executable, db: db, engine: engine, present: newPresenter(api, opts, log), log: log}
	texts := cmp.Or[graphql.HandlerExtension](opts.Documents, persisted.Off{})
	validator := Validator{schema, opts.Limits.Tokens, opts.Development}

	// These look at a request before it runs. Each relies on those before it.
	e.checks = checksOf(
		findText(texts), // of the document, which the request may only name
		newDocuments(validator, engine, texts).find, // parses and validates it, unless it is cached
		introspectionSwitch(opts.Development),
		variables{schema}.check,
		prepare{engine}.check, // before anything else asks the engine about the operation
		limiter{opts.Limits, opts.Development}.check,
	)

	mutate, read := engine.Mutate, engine.Read
	if api.WithoutEngine {
		mutate, read = aroundRoot(), aroundFields()
	}

	// These stand around each root field, the outermost first.
	e.root = aroundRoot(
		stopAfterFailure, // runs nothing of a mutation after a failure
		api.authorize,    // before arguments are decoded
		api.switchViewer, // whoever signs in sees the answer as themselves
		mutate,           // tells the resolver's statements what the payload shows
	)
	// These stand around each field that gqlgen executes, the outermost first.
	e.field = aroundFields(append([]graphql.FieldMiddleware{
		introspectAsSpecified,
		countField, // stops once the answer is too large
		read,       // reads the selection of what a resolver refers to
	}, api.Fields...)...)
	return e
}
