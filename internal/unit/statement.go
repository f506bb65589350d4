package unit

import "context"

// Statement is a query written by ent, including the conditions of interceptors and policies.
type Statement struct {
	Text string
	Args []any
}

type statementKey struct{}

// Capture returns a context in which ent's queries are not run. Each is stored in s, and its caller
// gets no rows.
func Capture(ctx context.Context, s *Statement) context.Context {
	return context.WithValue(ctx, statementKey{}, s)
}

func statementFrom(ctx context.Context) *Statement {
	s, _ := ctx.Value(statementKey{}).(*Statement)
	return s
}
