package sql

import (
	"context"
	"fmt"
	"slices"

	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/sql"
)

// A page in the order of a related row's column ends with the rows that lead to no row which the
// viewer sees. To find them by that condition, the database reads the whole table. Mostly few of
// the related rows are hidden, such as deleted ones. So PostgreSQL looks for these first, in the
// table of related rows, and then looks up the rows that lead to them.

// writeHidden writes the query for the keys of the first related rows that the viewer does not see.
// It returns nil if the page needs none: where it ends before, where no related rows are hidden,
// and on SQLite.
func (q *Query) writeHidden(ctx context.Context, w Writer) (*Statement, error) {
	if q.Dialect != dialect.Postgres || !slices.Contains(q.parts(), withNull) || q.Page.Order[0].By == nil || q.probes() {
		return nil, nil
	}
	of := *q
	of.part = withNull
	if err := of.writeOrder(ctx, w); err != nil {
		return nil, err
	}
	r := of.order.absent
	if r.unrestricted || !r.edge.OwnKey {
		return nil, nil
	}
	related := sql.Table(r.to.Entity.Table).As(hiddenRows)
	r.outer = related.C(r.to.Key.Name)
	s := sql.Dialect(q.Dialect).Select(r.outer).From(related).Where(sql.NotExists(r.query))
	s.SetTotal(q.before)
	text, args := s.Query()
	return &Statement{fmt.Sprintf("WITH %s(id) AS MATERIALIZED (%s LIMIT %d) ", hiddenRows, text, few+1), args, r.dependencies}, nil
}

// hiddenRows is the name of the related rows that the viewer does not see. Package binding refuses
// tables of this name.
const hiddenRows = "_h"

// leadsNowhere returns the condition that a row leads to no related row that the viewer sees.
func (q *Query) leadsNowhere(s *sql.Selector) *sql.Predicate {
	const found = "(SELECT count(*) FROM " + hiddenRows + ")"
	none := q.order.absent.none(s)
	switch q.hidden {
	case whenFew:
		key := q.order.absent.outer
		return sql.And(sql.ExprP(fmt.Sprintf("%s <= %d", found, few)), sql.Or(sql.IsNull(key), sql.P(func(b *sql.Builder) {
			b.Ident(key).WriteString(" = ANY(ARRAY(SELECT id FROM " + hiddenRows + "))")
		})))
	case whenMany:
		return sql.And(sql.ExprP(fmt.Sprintf("%s > %d", found, few)), none)
	}
	return none
}
