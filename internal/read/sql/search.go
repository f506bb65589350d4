package sql

import (
	"strings"

	"entgo.io/ent/dialect/sql"

	"forge/internal/search"
)

// found returns the condition that a row has words that begin with the words of the search.
func (q *Query) found(s *sql.Selector) *sql.Predicate {
	text := search.Of(q.Node.Object.Entity).Condition(q.Dialect, s.C)
	return sql.P(func(b *sql.Builder) { q.with(b, text, Parameter{of: theSearch}) })
}

// relevance writes search.Relevance of a row.
func (q *Query) relevance(b *sql.Builder, s *sql.Selector) {
	q.with(b, search.Of(q.Node.Object.Entity).Relevance(q.Dialect, s.C), Parameter{of: theWords})
}

// with writes an expression in which search.Argument stands for the parameter.
func (q *Query) with(b *sql.Builder, text string, p Parameter) {
	for i, part := range strings.Split(text, search.Argument) {
		if i > 0 {
			b.Arg(q.parameter(p))
		}
		b.WriteString(part)
	}
}
