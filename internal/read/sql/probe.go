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
	names      []string // of the entries of the where argument
	conditions []Condition
	others     Condition // of the other entries; nil if there are none
	narrow     int       // the larger, the fewer rows are likely to fulfil the conditions
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

// isBelow reports whether a filter is a range that matters in a list of an edge. PostgreSQL may
// take a range of texts for far narrower than it is, and read all of it for each parent. An index
// that begins with the parent's key leaves it no choice.
func isBelow(by *binding.Filter, edge *binding.Field) bool {
	return by.Field.Kind == entity.String && !slices.Contains(by.IndexedBelow, edge.Edge.Column)
}

// Range returns the narrowest range in which all rows are that fulfil a where argument, of the list
// of an edge, which is nil at the root. Read has read the argument before. Range returns nil if
// there is none that the list has to be read by, and on SQLite.
func (f *Conditions) Range(o *binding.Object, input map[string]any, edge *binding.Field) (best *Range, err error) {
	if f.Dialect != dialect.Postgres {
		return nil, nil
	}
	ranges := map[string]*Range{}
	for _, name := range slices.Sorted(maps.Keys(input)) {
		by := o.Filters[name]
		if !isRange(by) || input[name] == nil || edge != nil && !isBelow(by, edge) {
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
		r.names, r.conditions, r.narrow = append(r.names, name), append(r.conditions, condition), r.narrow+narrow[by.Op]
		if best == nil || r.narrow > best.narrow {
			best = r
		}
	}
	if best != nil {
		best.others = allOf(slices.DeleteFunc(slices.Clone(f.outermost), func(e entry) bool { return slices.Contains(best.names, e.name) }))
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

// below reports whether the rows belong to parents.
func (q *Query) below() bool { return q.Keys != nil || q.key != "" }

// where returns the condition of the argument where. If many rows are in the range, it is written
// so that the index of the range does not serve it: PostgreSQL would expect fewer rows there, and
// read them all. In lists of parents, no index serves any of the condition, as the rows of each
// parent are few. Aggregates have no probe, and are about all rows of a parent in any case.
func (q *Query) where() Condition {
	r := q.Range
	switch {
	case r == nil:
		return q.Where
	case q.below() && (q.gate == whenMany || q.Node.Of != nil):
		return unserved(q.Where)
	case q.gate == whenMany && r.others == nil:
		return unserved(join(sql.And, r.conditions))
	case q.gate == whenMany:
		return join(sql.And, []Condition{unserved(join(sql.And, r.conditions)), r.others})
	}
	return q.Where
}

// unserved returns the same condition in a form that no index serves. It is false where the
// condition would be NULL.
func unserved(holds Condition) Condition {
	return func(s *sql.Selector) *sql.Predicate {
		return sql.P(func(b *sql.Builder) {
			b.WriteString("CASE WHEN ").Join(holds(s)).WriteString(" THEN true ELSE false END")
		})
	}
}

// probes reports whether the statement first looks how many rows are in the range. PostgreSQL does
// not know it: it assumes that they are many, and evenly spread. So it goes through the table in
// the order of the page until it has found enough of them, and if they are few, through all of it.
// An order by the column of the range needs no probe at the root, as one index serves both. Rows
// that a search finds are few.
func (q *Query) probes() bool {
	if q.Range == nil || q.Page == nil || q.Node.Of != nil || q.Search != nil {
		return false
	}
	t := q.Page.Order[0]
	return q.below() || t.Column != q.Range.column || t.Collation != ""
}

// writeProbe has ent write the query that reads the keys of the first rows in the range, in the
// order of its index. They are all rows in the range if they are few.
func (q *Query) writeProbe(ctx context.Context, w Writer) (*Statement, error) {
	s, err := write(ctx, w, q.Node.Object.Entity, q.parameter, q.within, func(s *sql.Selector) {
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
// reads anything. As an array, the keys can only be looked up. Rows of parents are found by the
// keys of these, or by the range.
func (q *Query) pass(s *sql.Selector) {
	const found = "(SELECT count(*) FROM _f)"
	switch q.gate {
	case whenFew:
		s.Where(sql.ExprP(fmt.Sprintf("%s <= %d", found, few)))
		if !q.below() {
			s.Where(sql.P(func(b *sql.Builder) {
				b.Ident(s.C(q.Node.Object.Key.Name)).WriteString(" = ANY(ARRAY(SELECT id FROM _f))")
			}))
		}
	case whenMany:
		s.Where(sql.ExprP(fmt.Sprintf("%s > %d", found, few)))
	}
}
