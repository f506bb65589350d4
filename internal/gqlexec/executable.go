package gqlexec

import (
	"context"

	"github.com/99designs/gqlgen/graphql"

	"forge/internal/read"
)

// executable is the schema as gqlgen executes it, field by field. Queries that the read engine can
// answer as a whole never reach gqlgen's execution.
type executable struct {
	graphql.ExecutableSchema
	engine *read.Engine
}

// Exec returns what runs the operation of a context.
func (e executable) Exec(ctx context.Context) graphql.ResponseHandler {
	return func(ctx context.Context) *graphql.Response {
		if data, ok := e.engine.Answer(ctx); ok {
			return &graphql.Response{Data: data}
		}
		return e.ExecutableSchema.Exec(ctx)(ctx)
	}
}
