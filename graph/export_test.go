package graph

import (
	"log/slog"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/handler"

	"forge/internal/database"
)

// NewPlainServer returns the handler of the API with another field middleware in the place of the read engine.
func NewPlainServer(db *database.DB, cfg Config, log *slog.Logger, fields graphql.FieldMiddleware) *handler.Server {
	srv, _ := newServer(db, cfg, log)
	srv.AroundFields(fields)
	return srv
}
