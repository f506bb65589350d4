package read

import (
	"fmt"

	"entgo.io/ent/dialect/sql"

	"forge/internal/apperr"
	"forge/internal/entity"
	"forge/internal/viewer"
)

// term is one part of an order.
type term struct {
	column   string
	kind     entity.Kind
	desc     bool
	nullable bool
}

// orderOf reads an orderBy argument. The key comes last, so that the order is total; its direction is that of the term before, so that
// one index serves both directions.
func (o *object) orderOf(value any, role viewer.Role) ([]term, error) {
	var terms []term
	key := term{column: o.key().name, kind: entity.ID}
	for i, entry := range list(value) {
		input := entry.(map[string]any)
		f := o.orders[fmt.Sprint(input["field"])]
		if f == nil {
			return nil, apperr.BadInput(fmt.Sprintf("orderBy.%d.field", i), "%.40q is nothing to order by", input["field"])
		}
		if o.Visible[f.Name] != entity.ToAll && role != viewer.Admin {
			return nil, apperr.Forbidden(fmt.Sprintf("orderBy.%d.field", i), "only an administrator may order by this")
		}
		t := term{column: f.Column, kind: f.Kind, desc: input["direction"] == "DESC", nullable: f.Nullable}
		if direction, given := input["direction"]; given && !t.desc && direction != "ASC" {
			return nil, apperr.BadInput(fmt.Sprintf("orderBy.%d.direction", i), "%.40q is no direction: it is ASC or DESC", direction)
		}
		if !ordersBy(terms, t.column) {
			terms = append(terms, t)
			key.desc = t.desc
		}
	}
	return append(terms, key), nil
}

// ordersBy reports whether terms already order by column: a second time changes nothing.
func ordersBy(terms []term, column string) bool {
	for _, t := range terms {
		if t.column == column {
			return true
		}
	}
	return false
}

// orderBy returns the terms as SQL, from the end if backward. NULLs come last; from the end they come first.
func orderBy(s *sql.Selector, terms []term, backward bool) []sql.Querier {
	exprs := make([]sql.Querier, len(terms))
	for i, t := range terms {
		exprs[i] = sql.ExprFunc(func(b *sql.Builder) { t.write(b, s, backward) })
	}
	return exprs
}

func (t term) write(b *sql.Builder, s *sql.Selector, backward bool) {
	b.Ident(s.C(t.column))
	if t.desc != backward {
		b.WriteString(" DESC")
	}
	switch {
	case t.nullable && backward:
		b.WriteString(" NULLS FIRST")
	case t.nullable:
		b.WriteString(" NULLS LAST")
	}
}

// beyond returns the condition that a row stands behind the one with the given values, or ahead of it if backward.
// A value of nil is NULL.
func beyond(terms []term, values []any, backward bool) condition {
	if alike(terms) {
		return beyondTuple(terms, values, terms[0].desc == backward)
	}
	// Behind means: equal in the first terms, and behind in the next one.
	return func(s *sql.Selector) *sql.Predicate {
		var ways []*sql.Predicate
		for i, t := range terms {
			behind := t.behind(s, values[i], backward)
			if behind == nil {
				continue
			}
			var all []*sql.Predicate
			for j := range i {
				all = append(all, terms[j].equal(s, values[j]))
			}
			ways = append(ways, sql.And(append(all, behind)...))
		}
		if bound := terms[0].bound(s, values[0], backward); bound != nil {
			return sql.And(bound, sql.Or(ways...))
		}
		return sql.Or(ways...)
	}
}

// bound returns what the ways of beyond have in common, which an index on the term's column can begin with: it finds none for an OR.
// It returns nil if they have nothing in common, as when NULLs follow.
func (t term) bound(s *sql.Selector, value any, backward bool) *sql.Predicate {
	switch {
	case value == nil && backward, value != nil && t.nullable && !backward:
		return nil
	case value == nil:
		return sql.IsNull(s.C(t.column))
	case t.desc != backward:
		return sql.LTE(s.C(t.column), value)
	}
	return sql.GTE(s.C(t.column), value)
}

// alike reports whether the terms can be compared as one tuple, which an index serves best.
func alike(terms []term) bool {
	for _, t := range terms {
		if t.nullable || t.desc != terms[0].desc {
			return false
		}
	}
	return true
}

func beyondTuple(terms []term, values []any, greater bool) condition {
	return func(s *sql.Selector) *sql.Predicate {
		return sql.P(func(b *sql.Builder) {
			b.WriteByte('(')
			for i, t := range terms {
				if i > 0 {
					b.Comma()
				}
				b.Ident(s.C(t.column))
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

func (t term) equal(s *sql.Selector, value any) *sql.Predicate {
	if value == nil {
		return sql.IsNull(s.C(t.column))
	}
	return sql.EQ(s.C(t.column), value)
}

// behind returns nil if nothing can be.
func (t term) behind(s *sql.Selector, value any, backward bool) *sql.Predicate {
	switch {
	case value == nil && backward:
		return sql.NotNull(s.C(t.column))
	case value == nil:
		return nil
	}
	compare := sql.GT
	if t.desc != backward {
		compare = sql.LT
	}
	p := compare(s.C(t.column), value)
	if t.nullable && !backward {
		p = sql.Or(p, sql.IsNull(s.C(t.column)))
	}
	return p
}
