// Package graph answers the operations of schema.graphqls.
//
// A resolver says which entities a field means: by an ID, or by being a connection. What of them the client asked for is read by the
// read engine, for the whole selection at once (package read).
package graph

//go:generate go tool gqlgen generate

import (
	"cmp"
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/executor"
	"github.com/99designs/gqlgen/graphql/handler/extension"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"forge/graph/generated"
	"forge/internal/admission"
	"forge/internal/database"
	"forge/internal/graphqlhttp"
	"forge/internal/idempotency"
	"forge/internal/password"
	"forge/internal/persisted"
	"forge/internal/read"
	"forge/internal/session"
)

// Config is what the handling of operations depends on.
type Config struct {
	Development bool          // introspection, hints, and the cost of each operation in its answer
	HeldTooLong time.Duration // an operation that holds its connection for longer is logged; 0 for none
	// IdempotencyTTL is how long the answer to a mutation with an idempotency key is kept.
	IdempotencyTTL time.Duration
	Idempotency    idempotency.Limits // of what is kept
	Limits         Limits
	// Documents says which documents are taken, and how they may be named: an extension of package persisted. If it is nil, each request has to
	// bring its own, and any will do.
	Documents      graphql.HandlerExtension
	MaxBodyBytes   int64               // of a request; 0 for no limit
	Gate           *admission.Gate     // lets operations in; nil lets in all
	Unsent         *graphqlhttp.Unsent // bounds the answers that wait for their readers; nil does not
	RequestTimeout time.Duration       // after which an operation is stopped; 0 for never
	AloneReads     bool                // requests share no reads
	// CursorKey seals cursors: 32 bytes, the same for all servers of an API and at each start. With none everyone can read what a cursor holds, which
	// is for where everyone may see all.
	CursorKey []byte

	Passwords   *password.Hasher     // nil: one without a limit on how many wait
	Sessions    *session.Sessions    // signs people in; nil: nobody can sign in here
	Revocations *session.Revocations // is told at once whose tokens are ended here; nil: nobody is
}

// Resolver is the root of all resolvers. The database reaches them through the unit of work on the context.
type Resolver struct {
	Sessions    *session.Sessions
	Revocations *session.Revocations
}

// NewServer returns the handler of the API on db. It panics if Check finds anything: call that first.
func NewServer(db *database.DB, cfg Config, log *slog.Logger) http.Handler {
	return newServer(db, cfg, log).handler()
}

func newServer(db *database.DB, cfg Config, log *slog.Logger) operationExecutor {
	if cfg.Passwords == nil {
		cfg.Passwords = password.New(password.Cost{}, 0, 0)
	}
	return newServerOf(&Resolver{cfg.Sessions, cfg.Revocations}, db, cfg, log)
}

// newServerOf returns what runs operations with the resolvers.
func newServerOf(resolvers generated.ResolverRoot, db *database.DB, cfg Config, log *slog.Logger) operationExecutor {
	schema := generated.NewExecutableSchema(generated.Config{Schema: contract(), Resolvers: resolvers})
	engine, err := newEngine(resolvers, read.Options{CursorKey: cfg.CursorKey, Public: toAll, DisableCoalescing: cfg.AloneReads})
	if err != nil {
		panic(err)
	}
	exec := newExecutor(executable{schema, engine}, engine, db, cfg, log)
	exec.AroundFields(countField)
	exec.AroundRootFields(switchViewer)
	exec.AroundRootFields(engine.Mutate)
	exec.AroundFields(engine.Read)
	return exec
}

// newExecutor returns what runs operations on the schema, with no middleware for the schema's own fields yet. The engine knows what an operation will read.
func newExecutor(schema graphql.ExecutableSchema, engine *read.Engine, db *database.DB, cfg Config, log *slog.Logger) operationExecutor {
	exec := executor.New(schema)
	known := newDocumentCache(engine)
	exec.SetQueryCache(prepared{})
	present := presentError(log, cfg.Development, cfg.Limits.Tokens)
	exec.SetErrorPresenter(present)
	exec.SetRecoverFunc(recovered)
	if cfg.Development {
		exec.Use(extension.Introspection{})
	} else {
		exec.Use(noIntrospection{})
	}
	exec.Use(cmp.Or[graphql.HandlerExtension](cfg.Documents, persisted.Off{}))
	exec.Use(nesting{})
	exec.Use(validation{validator{schema.Schema(), cfg.Limits.Tokens, cfg.Development}, known})
	exec.Use(argumentValues{})
	exec.Use(variables{schema.Schema()})
	exec.Use(nulls{})
	exec.Use(prepare{engine})
	exec.Use(limiter{cfg.Limits, engine, cfg.Development})
	exec.AroundRootFields(stopAfterFailure)
	exec.AroundRootFields(admit)
	exec.AroundFields(introspectAsSpecified)
	return operationExecutor{exec, &operations{cfg, schema, db, engine, present, log}}
}

// handler returns the handler of the API.
func (e operationExecutor) handler() http.Handler {
	o := e.operations
	return graphqlhttp.Transport{MaxBodyBytes: o.MaxBodyBytes, Gate: o.Gate, Unsent: o.Unsent}.Handler(e)
}

// TrustedDocuments reads a manifest, and validates its documents as those of requests are; see persisted.Load.
func TrustedDocuments(path string, tokens int) (*persisted.Manifest, error) {
	v := validator{schema: contract(), tokens: tokens}
	return persisted.Load(path, func(text string) (*ast.QueryDocument, gqlerror.List) {
		return v.prepare(context.Background(), text)
	})
}
