package unit

import (
	"context"
)

// Statement is a query that ent has written, with all that its interceptors and policies add to it.
type Statement struct {
	Text string
	Args []any
}

type statementKey struct{}

// Capture returns a context whose ent queries are written into s and not run: their callers find no rows.
func Capture(ctx context.Context, s *Statement) context.Context {
	return context.WithValue(ctx, statementKey{}, s)
}

func statementFrom(ctx context.Context) *Statement {
	s, _ := ctx.Value(statementKey{}).(*Statement)
	return s
}
