// Package graph answers the operations of schema.graphqls.
//
// A resolver says which entities a field means: by an ID, or by being a connection. What of them the client asked for is read by the
// read engine, for the whole selection at once (package read).
package graph

//go:generate go tool gqlgen generate

import (
	"cmp"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/executor"
	"github.com/99designs/gqlgen/graphql/handler/extension"
	"github.com/vektah/gqlparser/v2/ast"

	"forge/ent"
	"forge/graph/generated"
	"forge/internal/admission"
	"forge/internal/database"
	"forge/internal/graphqlhttp"
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
	Limits         Limits
	// Documents says which documents are taken, and how they may be named: an extension of package persisted. If it is nil, each request has to
	// bring its own, and any will do.
	Documents      graphql.HandlerExtension
	MaxBodyBytes   int64           // of a request; 0 for no limit
	Gate           *admission.Gate // lets operations in; nil lets in all
	RequestTimeout time.Duration   // after which an operation is stopped; 0 for never
	AloneReads     bool            // requests share no reads
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

// NewServer returns the handler of the API on db.
func NewServer(db *database.DB, cfg Config, log *slog.Logger) http.Handler {
	return newServer(db, cfg, log).handler()
}

func newServer(db *database.DB, cfg Config, log *slog.Logger) operationExecutor {
	if cfg.Passwords == nil {
		cfg.Passwords = password.New(password.Cost{}, 0, 0)
	}
	resolvers := &Resolver{cfg.Sessions, cfg.Revocations}
	schema := generated.NewExecutableSchema(generated.Config{Schema: contract(), Resolvers: resolvers})
	engine := read.NewEngine(schema.Schema(), ent.Entities, cfg.CursorKey)
	engine.ToAll, engine.Alone = toAll, cfg.AloneReads
	exec := newExecutor(executable{schema, engine}, engine, db, cfg, log)
	exec.AroundRootFields(switchViewer)
	exec.AroundRootFields(engine.Mutate)
	exec.AroundFields(engine.Read)
	return exec
}

// newExecutor returns what runs operations on the schema, with no middleware for the schema's own fields yet. The engine knows what an operation will read.
func newExecutor(schema graphql.ExecutableSchema, engine *read.Engine, db *database.DB, cfg Config, log *slog.Logger) operationExecutor {
	exec := executor.New(schema)
	known := newDocumentCache(engine)
	exec.SetQueryCache(known)
	present := presentError(log, cfg.Development, cfg.Limits.Tokens)
	exec.SetErrorPresenter(present)
	exec.SetRecoverFunc(recovered)
	if cfg.Development {
		exec.Use(extension.Introspection{})
	} else {
		exec.Use(noIntrospection{})
	}
	exec.Use(cmp.Or[graphql.HandlerExtension](cfg.Documents, persisted.Off{}))
	exec.SetDisableSuggestion(!cfg.Development)
	exec.SetParserTokenLimit(cfg.Limits.Tokens)
	exec.SetDefaultRulesFn(validationRules)
	exec.Use(normalization{known})
	exec.Use(nesting{})
	exec.Use(validation{known, cfg.Limits.Tokens})
	exec.Use(variables{schema.Schema()})
	exec.Use(nulls{})
	exec.Use(plans{engine})
	exec.Use(switches{engine})
	exec.Use(limiter{cfg.Limits, engine, cfg.Development})
	exec.AroundRootFields(stopAfterFailure)
	exec.AroundRootFields(admit)
	exec.AroundFields(introspectAsSpecified)
	return operationExecutor{exec, &operations{cfg, schema, db, engine, present, log}}
}

// handler returns the handler of the API.
func (e operationExecutor) handler() http.Handler {
	return graphqlhttp.Transport{MaxBodyBytes: e.operations.MaxBodyBytes, Gate: e.operations.Gate}.Handler(e)
}

// TrustedDocuments reads a manifest for the schema; see persisted.Load.
func TrustedDocuments(path string, tokens int) (*persisted.Manifest, error) {
	return persisted.Load(path, contract(), validationRules(), tokens)
}

// contract returns the schema without @defer, which gqlgen adds: Forge answers at once, and a client that asks for parts to come
// later is told that there is no such directive. Nor has it scalars that nothing in it has, as the specification demands in section 3.5.
func contract() *ast.Schema {
	schema := *generated.NewExecutableSchema(generated.Config{}).Schema()
	schema.Directives = maps.Clone(schema.Directives)
	delete(schema.Directives, "defer")
	schema.Types = maps.Clone(schema.Types)
	for _, scalar := range []string{"Int", "Float", "ID"} {
		if !uses(&schema, scalar) {
			delete(schema.Types, scalar)
		}
	}
	return &schema
}

// uses is whether a field or an argument of the schema has a type.
func uses(schema *ast.Schema, name string) bool {
	for _, def := range schema.Types {
		for _, field := range def.Fields {
			if field.Type.Name() == name || slices.ContainsFunc(field.Arguments, func(a *ast.ArgumentDefinition) bool { return a.Type.Name() == name }) {
				return true
			}
		}
	}
	return false
}
