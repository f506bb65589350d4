package graph

import (
	"log/slog"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/handler"

	"forge/ent"
	"forge/graph/generated"
	"forge/internal/database"
	"forge/internal/read"
)

// NewPlainServer returns the handler of the API with another field middleware in the place of the read engine.
func NewPlainServer(db *database.DB, cfg Config, log *slog.Logger, fields graphql.FieldMiddleware) *handler.Server {
	schema := generated.NewExecutableSchema(generated.Config{Schema: contract(), Resolvers: &Resolver{}})
	srv := newServer(schema, read.NewEngine(schema.Schema(), ent.Entities, nil), db, cfg, log)
	srv.AroundFields(fields)
	return srv
}

// Access is graph/access.go.
var Access = access
