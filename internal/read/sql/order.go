package sql

import (
	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/sql"

	"forge/internal/entity"
	"forge/internal/read/rows"
)

// orderBy returns the terms as SQL, in reverse if backward is true. NULLs come last, and in reverse
// first.
func orderBy(s *sql.Selector, terms []rows.Term, backward bool) []sql.Querier {
	exprs := make([]sql.Querier, len(terms))
	for i, t := range terms {
		exprs[i] = sql.ExprFunc(func(b *sql.Builder) { writeTerm(t, b, s, backward) })
	}
	return exprs
}

func writeTerm(t rows.Term, b *sql.Builder, s *sql.Selector, backward bool) {
	b.Ident(columnIn(s, t.Column, t.Kind))
	if t.Desc != backward {
		b.WriteString(" DESC")
	}
	switch {
	case t.Nullable && backward:
		b.WriteString(" NULLS FIRST")
	case t.Nullable:
		b.WriteString(" NULLS LAST")
	}
}

// keyset returns the condition that a row comes after the row with the given values, or before it
// if backward is true. A nil value stands for NULL.
func keyset(terms []rows.Term, values []any, backward bool) Condition {
	if uniform(terms) {
		return keysetTuple(terms, values, terms[0].Desc == backward)
	}
	// A row comes after another if their first terms are equal and it comes after in the next term.
	return func(s *sql.Selector) *sql.Predicate {
		var ways []*sql.Predicate
		for i, t := range terms {
			later := comesAfter(t, s, values[i], backward)
			if later == nil {
				continue
			}
			var all []*sql.Predicate
			for j := range i {
				all = append(all, equal(terms[j], s, values[j]))
			}
			ways = append(ways, sql.And(append(all, later)...))
		}
		if limit := bound(terms[0], s, values[0], backward); limit != nil {
			return sql.And(limit, sql.Or(ways...))
		}
		return sql.Or(ways...)
	}
}

// bound returns the condition on the first term that all alternatives of keyset imply. An index can
// start from this condition, but cannot serve an OR. bound returns nil if no condition is implied,
// as when NULLs follow.
func bound(t rows.Term, s *sql.Selector, value any, backward bool) *sql.Predicate {
	switch {
	case value == nil && backward, value != nil && t.Nullable && !backward:
		return nil
	case value == nil:
		return sql.IsNull(columnIn(s, t.Column, t.Kind))
	case t.Desc != backward:
		return sql.LTE(columnIn(s, t.Column, t.Kind), value)
	}
	return sql.GTE(columnIn(s, t.Column, t.Kind), value)
}

// uniform reports whether the terms can be compared as one tuple, which an index serves best. They
// can if all have the same direction and none is NULL.
func uniform(terms []rows.Term) bool {
	for _, t := range terms {
		if t.Nullable || t.Desc != terms[0].Desc {
			return false
		}
	}
	return true
}

func keysetTuple(terms []rows.Term, values []any, greater bool) Condition {
	return func(s *sql.Selector) *sql.Predicate {
		return sql.P(func(b *sql.Builder) {
			b.WriteByte('(')
			for i, t := range terms {
				if i > 0 {
					b.Comma()
				}
				b.Ident(columnIn(s, t.Column, t.Kind))
			}
			if greater {
				b.WriteString(") > (")
			} else {
				b.WriteString(") < (")
			}
			b.Args(values...).WriteByte(')')
		})
	}
}

func equal(t rows.Term, s *sql.Selector, value any) *sql.Predicate {
	if value == nil {
		return sql.IsNull(columnIn(s, t.Column, t.Kind))
	}
	return sql.EQ(columnIn(s, t.Column, t.Kind), value)
}

// comesAfter returns the condition that a row comes after the value in one term. It returns nil if
// no row does.
func comesAfter(t rows.Term, s *sql.Selector, value any, backward bool) *sql.Predicate {
	switch {
	case value == nil && backward:
		return sql.NotNull(columnIn(s, t.Column, t.Kind))
	case value == nil:
		return nil
	}
	compare := sql.GT
	if t.Desc != backward {
		compare = sql.LT
	}
	p := compare(columnIn(s, t.Column, t.Kind), value)
	if t.Nullable && !backward {
		p = sql.Or(p, sql.IsNull(columnIn(s, t.Column, t.Kind)))
	}
	return p
}

// columnIn returns a column as conditions and orders compare it. SQLite needs a collation for some
// kinds.
func columnIn(s *sql.Selector, column string, of entity.Kind) string {
	if k := kindOf(of); s.Dialect() == dialect.SQLite && k.Collation != "" {
		return s.C(column) + " COLLATE " + k.Collation
	}
	return s.C(column)
}
