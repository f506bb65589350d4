package sql

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/sql"

	"forge/internal/entity"
	"forge/internal/read/binding"
)

// few is how many rows PostgreSQL sorts at most where it could also go through the table in the
// order of the page. A page of 20 rows is found in a table of 10 million rows after 200,000, if
// more than few fulfil the condition.
const few = 1000

// Range is the condition that a column has a value in a range. An index begins with the column.
type Range struct {
	column     string
	conditions []Condition
	narrow     int // the larger, the fewer rows are likely to fulfil the conditions
}

// narrow are the operators of ranges. Of two bounds, or of a prefix, fewer rows are to be expected
// than of one bound, and of one value fewer still.
var narrow = map[string]int{"GT": 1, "GTE": 1, "LT": 1, "LTE": 1, "HasPrefix": 2, "": 3}

// isRange reports whether a filter is a range that an index serves. Equality is one only for kinds
// that may have few different values: of others, PostgreSQL expects few rows, and looks them up.
func isRange(by *binding.Filter) bool {
	if by == nil || !by.Indexed || narrow[by.Op] == 0 {
		return false
	}
	return by.Op != "" || slices.Contains([]entity.Kind{entity.Bool, entity.Enum, entity.Int, entity.Date}, by.Field.Kind)
}

// inRange returns the condition of a filter that is a range. An equality is written as a range:
// otherwise PostgreSQL would know that the order by the column is none, and need not use its index.
func (f *Conditions) inRange(by *binding.Filter, value any, path string) (Condition, error) {
	if by.Op != "" {
		return f.compare(by, value, path)
	}
	arg, err := argument(by, value, path)
	if err != nil {
		return nil, err
	}
	return func(s *sql.Selector) *sql.Predicate {
		column := s.C(by.Field.Column)
		return sql.And(sql.GTE(column, arg), sql.LTE(column, arg))
	}, nil
}

// Range returns the narrowest range in which all rows are that fulfil a where argument. Read has
// read it before. Range returns nil if there is none, and on SQLite.
func (f *Conditions) Range(o *binding.Object, input map[string]any) (best *Range, err error) {
	if f.Dialect != dialect.Postgres {
		return nil, nil
	}
	ranges := map[string]*Range{}
	for _, name := range slices.Sorted(maps.Keys(input)) {
		by := o.Filters[name]
		if !isRange(by) || input[name] == nil {
			continue
		}
		condition, err := f.inRange(by, input[name], "where."+name)
		if err != nil {
			return nil, err
		}
		column := cmp.Or(by.Field.MatchBy, by.Field.Column)
		r := ranges[column]
		if r == nil {
			r = &Range{column: column}
			ranges[column] = r
		}
		r.conditions, r.narrow = append(r.conditions, condition), r.narrow+narrow[by.Op]
		if best == nil || r.narrow > best.narrow {
			best = r
		}
	}
	return best, nil
}

// gate says when a part of a page is read, as the probe tells.
type gate byte

const (
	always   gate = iota
	whenFew       // few rows are in the range; they are looked up
	whenMany      // more rows are in the range
)

// probes reports whether the statement first looks how many rows are in the range. PostgreSQL does
// not know it: it assumes that they are many, and evenly spread. So it goes through the table in
// the order of the page until it has found enough of them, and if they are few, through all of it.
// An order by the column of the range needs no probe, as one index serves both. Rows of one parent,
// and those that a search finds, are few.
func (q *Query) probes() bool {
	if q.Range == nil || q.Page == nil || q.Node.Of != nil || q.Keys != nil || q.key != "" || q.Search != nil {
		return false
	}
	t := q.Page.Order[0]
	return t.Column != q.Range.column || t.Collation != ""
}

// writeProbe has ent write the query that reads the keys of the first rows in the range, in the
// order of its index. They are all rows in the range if they are few.
func (q *Query) writeProbe(ctx context.Context, w Writer, theViewer any) (*Statement, error) {
	s, err := write(ctx, w, q.Node.Object.Entity, theViewer, func(s *sql.Selector) {
		s.SetTotal(q.before)
		s.Select(s.C(q.Node.Object.Key.Name))
		for _, holds := range q.Range.conditions {
			s.Where(holds(s))
		}
		s.OrderBy(s.C(q.Range.column))
	})
	if err == nil {
		s.Text = fmt.Sprintf("WITH _f(id) AS MATERIALIZED (%s LIMIT %d) ", s.Text, few+1)
	}
	return s, err
}

// pass adds the condition under which the part is read. PostgreSQL evaluates it once, before it
// reads anything. As an array, the keys can only be looked up.
func (q *Query) pass(s *sql.Selector) {
	const found = "(SELECT count(*) FROM _f)"
	switch q.gate {
	case whenFew:
		s.Where(sql.P(func(b *sql.Builder) {
			b.Ident(s.C(q.Node.Object.Key.Name)).WriteString(fmt.Sprintf(" = ANY(ARRAY(SELECT id FROM _f)) AND %s <= %d", found, few))
		}))
	case whenMany:
		s.Where(sql.ExprP(fmt.Sprintf("%s > %d", found, few)))
	}
}
