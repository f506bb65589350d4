package graph

import (
	"log/slog"
	"net/http"

	"github.com/99designs/gqlgen/graphql"

	"forge/graph/generated"
	"forge/internal/database"
	"forge/internal/password"
	"forge/internal/read"
)

// NewPlainServer returns the handler of the API with another field middleware in the place of the read engine.
func NewPlainServer(db *database.DB, cfg Config, log *slog.Logger, fields graphql.FieldMiddleware) http.Handler {
	schema := generated.NewExecutableSchema(generated.Config{Schema: contract(), Resolvers: &Resolver{}})
	exec := newExecutor(schema, mustEngine(), db, cfg, log)
	exec.AroundFields(fields)
	return exec.handler()
}

func mustEngine() *read.Engine {
	engine, err := newEngine(&Resolver{}, read.Options{})
	if err != nil {
		panic(err)
	}
	return engine
}

// Refers reports whether the resolver of a root field of queries is known to do nothing but refer.
func Refers(field string) bool { return referring(&Resolver{})(field) }

// NewServerOf returns the handler of the API with other resolvers.
func NewServerOf(resolvers generated.ResolverRoot, db *database.DB, cfg Config, log *slog.Logger) http.Handler {
	if cfg.Passwords == nil {
		cfg.Passwords = password.New(password.Cost{}, 0, 0)
	}
	return newServerOf(resolvers, db, cfg, log).handler()
}

// NewServerAround returns the handler of the API with one more field middleware, inside of all others.
func NewServerAround(db *database.DB, cfg Config, log *slog.Logger, fields graphql.FieldMiddleware) http.Handler {
	exec := newServer(db, cfg, log)
	exec.AroundFields(fields)
	return exec.handler()
}

// Access is graph/access.go.
var Access = access

// Pause is pause, for tests.
var Pause = pause
