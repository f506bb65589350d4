package sql

import (
	"slices"

	"entgo.io/ent/dialect/sql"

	"forge/internal/read/binding"
	"forge/internal/read/kind"
)

// encloses reports whether PostgreSQL has to read all rows of a parent before it orders or groups
// them. It believes that the rows of each parent are spread evenly over all others. So it goes
// through the index of an order until it has found enough of them, and reads the index of the whole
// table where a parent has few, or has those that come last. The greatest and the smallest value
// and groups tempt it as well.
func (q *Query) encloses() bool {
	switch {
	case q.sqlite() || !q.below() || slices.ContainsFunc(q.Columns, func(c binding.Column) bool { return c.Linked }):
		return false
	case q.Node.Of != nil:
		return q.Summary != nil && q.Summary.By != nil || slices.ContainsFunc(q.Columns, func(c binding.Column) bool {
			return c.Measure != nil && (c.Measure.Function == kind.Min || c.Measure.Function == kind.Max)
		})
	case q.Page == nil:
		return false
	}
	t := q.Page.Order[0]
	return t.By == nil && t.Collation == "" && t.Column != q.Node.Object.Key.Name && (q.links != nil || !slices.Contains(t.IndexedBelow, q.KeyColumn))
}

// enclose has a query select from the rows that rows restricts, instead of from the whole table.
// OFFSET 0 keeps PostgreSQL from making one query of both.
func enclose(s *sql.Selector, rows func(*sql.Selector)) {
	table := s.Table()
	of := sql.Dialect(s.Dialect()).Select(table.C("*")).From(table)
	rows(of)
	s.From(of.Offset(0).As(of.TableName()))
}
