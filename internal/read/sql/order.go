package sql

import (
	"slices"

	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/sql"

	"forge/internal/collation"
	"forge/internal/entity"
	"forge/internal/read/binding"
	"forge/internal/read/rows"
)

// ordering writes the order of a query's rows, and conditions on places in that order.
type ordering struct {
	selector *sql.Selector // the query
	query    *Query
	terms    []rows.Term
	related  []*relation // by term: the related rows that it is about; nil if it is about none
	// absent are the related rows that rows with NULL in the first term lack; nil if that is a
	// column of their own.
	absent *relation
}

// orderBy returns the terms as SQL, in reverse if backward is true. NULLs come last, and in reverse
// first.
func (o *ordering) orderBy(backward bool) []sql.Querier {
	exprs := make([]sql.Querier, len(o.terms))
	for i := range o.terms {
		exprs[i] = sql.ExprFunc(func(b *sql.Builder) { o.writeTerm(b, i, backward) })
	}
	return exprs
}

func (o *ordering) writeTerm(b *sql.Builder, i int, backward bool) {
	o.write(b, i)
	t := o.terms[i]
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

// write writes what a term compares.
func (o *ordering) write(b *sql.Builder, i int) {
	t := o.terms[i]
	if t.By == nil {
		b.Ident(o.selector.C(t.Column))
	} else {
		o.value(b, t.By)
	}
	if t.Collation != "" {
		b.WriteString(collation.SQL(o.selector.Dialect(), t.Collation))
	} else {
		b.WriteString(collationOf(t.Kind, o.selector.Dialect()))
	}
}

// value writes what a term compares that is by no column of the rows.
func (o *ordering) value(b *sql.Builder, by *binding.Order) {
	if by.Fit {
		o.query.relevance(b, o.selector)
		return
	}
	i := slices.IndexFunc(o.terms, func(t rows.Term) bool { return t.By == by })
	o.related[i].value(b, o.selector)
}

// inPart returns the terms that a part of the page is ordered by. An index on a column of the rows
// has those with NULL as well, in the order of the whole.
func (o *ordering) inPart(p part) *ordering {
	if o.joined() || o.absent != nil {
		return o.within(p)
	}
	return o
}

// within returns the order of the rows of a part of the page.
func (o *ordering) within(p part) *ordering {
	of := *o
	switch p {
	case withValue:
		of.terms = slices.Clone(o.terms)
		of.terms[0].Nullable = false
	case withNull:
		of.terms, of.related = o.terms[1:], o.related[1:]
	}
	return &of
}

// keyset returns the condition that a row comes after the row with the given values, or before it
// if backward is true. A nil value stands for NULL. If too is true, the row with the values fulfils
// the condition as well.
func (o *ordering) keyset(values []any, backward, too bool) *sql.Predicate {
	if o.uniform() {
		after := o.keysetTuple(values, o.terms[0].Desc == backward, too)
		if o.joined() { // no index has a tuple of two tables
			return sql.And(o.bound(values[0], backward), after)
		}
		return after
	}
	// A row comes after another if their first terms are equal and it comes after in the next term.
	var ways []*sql.Predicate
	for i := range o.terms {
		later := o.comesAfter(i, values[i], backward)
		if later == nil {
			continue
		}
		var all []*sql.Predicate
		for j := range i {
			all = append(all, o.is(j, "=", values[j]))
		}
		if too && i == len(o.terms)-1 {
			later = sql.Or(later, o.is(i, "=", values[i]))
		}
		ways = append(ways, sql.And(append(all, later)...))
	}
	if limit := o.bound(values[0], backward); limit != nil {
		return sql.And(limit, sql.Or(ways...))
	}
	return sql.Or(ways...)
}

// bound returns the condition on the first term that all alternatives of keyset imply. An index can
// start from this condition, but cannot serve an OR. bound returns nil if the term may be NULL,
// since NULLs may follow, and if no index has the values.
func (o *ordering) bound(value any, backward bool) *sql.Predicate {
	switch t := o.terms[0]; {
	case t.Nullable, t.By != nil && !o.joined(), t.Collation != "":
		return nil
	case t.Desc != backward:
		return o.is(0, "<=", value)
	}
	return o.is(0, ">=", value)
}

// joined reports whether the first term compares a column of a joined table.
func (o *ordering) joined() bool { return o.related[0] != nil && o.related[0].joined }

// uniform reports whether the terms can be compared as one tuple, which an index serves best. They
// can if all have the same direction and none is NULL.
func (o *ordering) uniform() bool {
	for _, t := range o.terms {
		if t.Nullable || t.Desc != o.terms[0].Desc {
			return false
		}
	}
	return true
}

func (o *ordering) keysetTuple(values []any, greater, too bool) *sql.Predicate {
	operator := map[bool]string{true: ">", false: "<"}[greater]
	if too {
		operator += "="
	}
	return sql.P(func(b *sql.Builder) {
		b.WriteByte('(')
		for i := range o.terms {
			if i > 0 {
				b.Comma()
			}
			o.write(b, i)
		}
		b.WriteString(") " + operator + " (")
		b.Args(values...).WriteByte(')')
	})
}

// is returns the condition that the i-th term has the relation to a value that the operator names.
// A nil value stands for NULL, which is only compared for equality.
func (o *ordering) is(i int, operator string, value any) *sql.Predicate {
	if value == nil {
		return o.isNull(i, true)
	}
	return sql.P(func(b *sql.Builder) {
		o.write(b, i)
		b.WriteString(" " + operator + " ").Arg(value)
	})
}

// isNull returns the condition that the i-th term is NULL, or that it is not.
func (o *ordering) isNull(i int, is bool) *sql.Predicate {
	return sql.P(func(b *sql.Builder) {
		o.write(b, i)
		b.WriteString(map[bool]string{true: " IS NULL", false: " IS NOT NULL"}[is])
	})
}

// comesAfter returns the condition that a row comes after the value in one term. It returns nil if
// no row does.
func (o *ordering) comesAfter(i int, value any, backward bool) *sql.Predicate {
	switch {
	case value == nil && backward:
		return o.isNull(i, false)
	case value == nil:
		return nil
	}
	operator := ">"
	if o.terms[i].Desc != backward {
		operator = "<"
	}
	p := o.is(i, operator, value)
	if o.terms[i].Nullable && !backward {
		p = sql.Or(p, o.isNull(i, true))
	}
	return p
}

// columnIn returns a column as conditions and orders compare it.
func columnIn(s *sql.Selector, column string, of entity.Kind) string {
	return s.C(column) + collationOf(of, s.Dialect())
}

// collationOf returns what follows a value of a kind where it is compared. SQLite needs a collation
// for some kinds.
func collationOf(of entity.Kind, db string) string {
	if k := kindOf(of); db == dialect.SQLite && k.Collation != "" {
		return " COLLATE " + k.Collation
	}
	return ""
}
