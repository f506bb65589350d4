// Package gqlexec checks GraphQL operations, and runs each as one unit of work.
//
// The package depends on no particular API: an application describes its own in a value of type
// API. newExecutor lists all steps that an operation passes, in order.
package gqlexec

import (
	"cmp"
	"context"
	"log/slog"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"forge/internal/admission"
	"forge/internal/changes"
	"forge/internal/cursorcipher"
	"forge/internal/database"
	"forge/internal/graphqlhttp"
	"forge/internal/idempotency"
	"forge/internal/message"
	"forge/internal/persisted"
	"forge/internal/read/binding"
	"forge/internal/replica"
)

// Options are the settings of a server. The zero value sets no limits.
type Options struct {
	// Development turns on introspection, and hints in error messages. It also adds to each answer
	// the number of statements and the points of cost.
	Development bool
	// HeldTooLong is how long an operation may hold its connection before a warning is logged. 0
	// means that no warning is logged.
	HeldTooLong time.Duration
	// RequestTimeout is the time after which an operation is stopped. 0 means never.
	RequestTimeout time.Duration
	// Limits bound what one operation may ask for.
	Limits Limits

	// IdempotencyTTL is how long the answer to a mutation with an idempotency key is stored.
	IdempotencyTTL time.Duration
	// Idempotency bounds what is stored under idempotency keys.
	Idempotency idempotency.Limits

	// Derive makes a key of a text and a salt, as slowly as a password is hashed. The fingerprint
	// of a request that sets a password is made by it, so that nobody guesses passwords with a copy
	// of the database. Without it, that fingerprint is as quick as others.
	Derive func(ctx context.Context, text string, salt []byte) ([]byte, error)

	// Documents says which documents are accepted, and how requests may name them. It comes
	// from package persisted. If it is nil, each request has to contain its document, and any
	// document is accepted.
	Documents graphql.OperationParameterMutator
	// MaxBodyBytes bounds the body of a request. 0 means no limit.
	MaxBodyBytes int64
	// Admission limits how many operations run at once. If it is nil, all are admitted.
	Admission *admission.Limiter
	// Unsent bounds the memory of answers that wait for slow clients. If it is nil, there is no
	// bound.
	Unsent *graphqlhttp.Unsent

	// Files are those that clients upload. If it is nil, there are none. Multipart says whether
	// they may be part of a request.
	Files     Files
	Multipart bool

	// Wrote is called after each mutation that was stored. It may be nil.
	Wrote func()
	// Feed reads the log of changes for subscriptions. Without it, there are none.
	Feed *changes.Feed
	// Replicas chooses where queries are read. If it is nil, that is the primary.
	Replicas *replica.Set
	// UnsharedReads has each request run its own statements, even if another one reads the same at
	// the same time.
	UnsharedReads bool
	// Cursors encrypts cursors, with a key that is the same for all servers of an API. Without it,
	// clients can read the values in a cursor. That is acceptable only if the API shows everything
	// to everybody.
	Cursors *cursorcipher.Cipher
}

// files returns what takes the files of multipart requests, or nil.
func (o *Options) files() graphqlhttp.Files {
	if o.Multipart && o.Files != nil {
		return o.Files
	}
	return nil
}

// New returns the handler of the API on db. It panics if API.Check returns an error, so the
// caller should call API.Check before.
func New(api API, db *database.DB, opts Options, log *slog.Logger) *Handler {
	e := newExecutor(api, db, opts, log)
	transport := graphqlhttp.Transport{MaxBodyBytes: opts.MaxBodyBytes, Admission: opts.Admission, Unsent: opts.Unsent, Files: opts.files(), Messages: e.present.messages}
	return &Handler{Handler: transport.Handler(e), executor: e, groups: groups{turns: make(chan struct{}, maxEvaluations)}}
}

// newExecutor returns the executor of the API. It lists all steps that an operation passes. No step
// is added anywhere else.
func newExecutor(api API, db *database.DB, opts Options, log *slog.Logger) *executor {
	executable := api.executable()
	schema := executable.Schema()
	engine, err := api.engine(executable, opts)
	if err != nil {
		panic(err)
	}
	writes, findings := api.writes(executable)
	if len(findings) > 0 {
		panic(&binding.MismatchError{Findings: findings})
	}
	messages, err := message.Load(api.Messages)
	if err != nil {
		panic(err)
	}
	e := &executor{options: opts, api: api, schema: executable, db: db, engine: engine, writes: writes, present: newPresenter(api, opts, messages, log), log: log}
	texts := cmp.Or[graphql.OperationParameterMutator](opts.Documents, persisted.Off{})
	validator := Validator{schema, opts.Limits.Tokens, opts.Development}

	// The checks look at a request before it runs. Each relies on those before it.
	e.checks = checksOf(
		findText(texts), // finds the text of a document that the request only names
		newDocuments(validator, engine, texts).find, // parses and validates it, unless it is cached
		introspectionSwitch(opts.Development),
		variables{schema, opts.Development}.check,
		prepare{engine}.check, // comes before all else that asks the engine about the operation
		checkSubscription,
		mayExplain(opts.Development),
		findNeed(opts.Replicas),
		limiter{opts.Limits, opts.Development}.check,
	)

	mutate, read := engine.Mutate, engine.Read
	if api.WithoutEngine {
		mutate, read = aroundRoot(), aroundFields()
	}

	// The following stand around each root field, the outermost first.
	e.root = aroundRoot(
		stopAfterFailure,  // skips the rest of a mutation after a failure
		api.authorize,     // comes before the arguments are decoded
		e.refuseArguments, // reports all arguments that cannot be decoded
		api.switchViewer,  // lets users who sign in see the answer as themselves
		mutate,            // tells the resolver's statements which columns the payload shows
	)
	// The following stand around each field that gqlgen executes, the outermost first.
	e.field = aroundFields(append([]graphql.FieldMiddleware{
		introspectAsSpecified,
		countField, // stops when the answer is too large
		read,       // reads the selection below a reference that a resolver returns
	}, api.Fields...)...)
	return e
}
