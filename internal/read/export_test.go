package read

import (
	"testing"

	"github.com/99designs/gqlgen/graphql"
)

// PayloadOf compiles the payload of a mutation of one root field on PostgreSQL. It returns whether
// an entity in it has hooks, and whether its statement may be the last one.
func PayloadOf(t *testing.T, e *Engine, mutation string) (hooked, final bool) {
	op := parsed(t, e, mutation)(nil)
	root := graphql.CollectFields(op, op.Operation.SelectionSet, []string{"Mutation"})[0]
	p := e.Prepare(op).payload(root, "postgres")
	return p.hooked, p.final
}
