package graph

import (
	"log/slog"
	"net/http"

	"github.com/99designs/gqlgen/graphql"

	"forge/ent"
	"forge/graph/generated"
	"forge/internal/database"
	"forge/internal/read"
)

// NewPlainServer returns the handler of the API with another field middleware in the place of the read engine.
func NewPlainServer(db *database.DB, cfg Config, log *slog.Logger, fields graphql.FieldMiddleware) http.Handler {
	schema := generated.NewExecutableSchema(generated.Config{Schema: contract(), Resolvers: &Resolver{}})
	exec := newExecutor(schema, read.NewEngine(schema.Schema(), ent.Entities, nil), db, cfg, log)
	exec.AroundFields(fields)
	return exec.handler()
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
