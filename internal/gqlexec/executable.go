package gqlexec

import (
	"context"

	"github.com/99designs/gqlgen/graphql"

	"forge/internal/read"
)

// executable is the schema as gqlgen executes it, field by field, except for the queries that the read engine can answer alone.
type executable struct {
	graphql.ExecutableSchema
	engine *read.Engine
}

// Exec runs the operation that ctx is about.
func (e executable) Exec(ctx context.Context) graphql.ResponseHandler {
	return func(ctx context.Context) *graphql.Response {
		if data, ok := e.engine.Answer(ctx); ok {
			return &graphql.Response{Data: data}
		}
		return e.ExecutableSchema.Exec(ctx)(ctx)
	}
}
