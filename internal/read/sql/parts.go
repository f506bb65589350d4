package sql

import (
	"context"
	"strconv"
	"strings"

	"entgo.io/ent/dialect/sql"

	"forge/internal/read/binding"
)

// part says which rows of a page a query reads. A page with a cursor is read in two parts if the
// first term of its order may be NULL: no single range of an index holds the rows that follow the
// cursor and those with NULL, which come last.
//
// A page in the order of a related row's column is read in two parts even without a cursor. The
// rows with a value are joined with the related ones, so that the database can go through these in
// the order of an index, and look up the rows of each.
type part byte

const (
	wholePage part = iota
	withValue      // the rows that have a value in the first term
	withNull       // the rows that have NULL there
)

// parts returns the parts of the page, in their order. An order by numbers of related rows or by a
// language has no index, so its page is read as a whole. So are groups, and the pages of several
// keys on SQLite, which numbers all rows of each key.
func (q *Query) parts() []part {
	p := q.Page
	if p == nil || q.Node.Of != nil || q.many() && q.sqlite() {
		return []part{wholePage}
	}
	switch t := p.Order[0]; {
	case t.Collation != "", t.By != nil && !q.joins(t.By):
		return []part{wholePage}
	case !t.Nullable && t.By != nil:
		return []part{withValue}
	case !t.Nullable, t.By == nil && p.After == nil && p.Before == nil:
		return []part{wholePage}
	}
	hasValues := p.After == nil || p.After[0] != nil
	hasNulls := p.Before == nil || p.Before[0] == nil
	switch {
	case hasValues && hasNulls && p.Backward:
		return []part{withNull, withValue}
	case hasValues && hasNulls:
		return []part{withValue, withNull}
	case hasValues:
		return []part{withValue}
	case hasNulls:
		return []part{withNull}
	}
	return []part{wholePage} // the cursors are in the wrong order: no row is between them
}

// joins reports whether the rows are joined with those that they are ordered by. Rows of one parent
// are few, and are sorted.
func (q *Query) joins(by *binding.Order) bool {
	return !by.Fit && !by.Count && !q.below()
}

// writeParts has ent write the query for each part of the page, and joins them by UNION ALL. Each
// part is limited, since it may be the whole page. Both databases read the parts one after the
// other, and none that the limit of the page does not need. PostgreSQL reads no subqueries with a
// LIMIT in parallel.
func (q *Query) writeParts(ctx context.Context, w Writer) (*Statement, error) {
	all, variants, err := q.variants(ctx, w)
	if err != nil {
		return nil, err
	}
	var selects []string
	for _, of := range variants {
		of.before = q.before + len(all.Args)
		s, err := of.writePart(ctx, w)
		if err != nil || len(variants) == 1 {
			return s, err
		}
		of.limitedPart(s)
		selects = append(selects, "SELECT * FROM ("+s.Text+") AS _s")
		all.Args = append(all.Args, s.Args...)
		all.Dependencies = append(all.Dependencies, s.Dependencies...)
	}
	all.Text += strings.Join(selects, " UNION ALL ")
	return all, nil
}

// variants returns a query for each part of the page, or two if PostgreSQL is to choose one of
// them. The statement begins with the query that tells which.
func (q *Query) variants(ctx context.Context, w Writer) (begin *Statement, all []Query, err error) {
	gates := []gate{always}
	begin, err = q.writeHidden(ctx, w)
	hides := begin != nil
	switch {
	case err != nil:
		return nil, nil, err
	case q.probes():
		begin, err = q.writeProbe(ctx, w)
		gates = []gate{whenFew, whenMany}
	case !hides:
		begin = new(Statement)
	}
	for _, gate := range gates {
		for _, part := range q.parts() {
			of := *q
			of.part, of.gate = part, gate
			if !hides || part != withNull {
				all = append(all, of)
				continue
			}
			of.hidden = whenFew
			all = append(all, of)
			of.hidden = whenMany
			all = append(all, of)
		}
	}
	return begin, all, err
}

// writePart has ent write the query for a part, and those for the related rows that it is ordered
// by.
func (q *Query) writePart(ctx context.Context, w Writer) (*Statement, error) {
	if q.Page != nil {
		if err := q.writeOrder(ctx, w); err != nil {
			return nil, err
		}
	}
	s, err := write(ctx, w, q.Node.Object.Entity, q.parameter, q.within, q.shape)
	if err != nil {
		return nil, err
	}
	for _, r := range append(q.order.related, q.order.absent) {
		if r != nil {
			s.Dependencies = append(s.Dependencies, r.dependencies...)
		}
	}
	return s, nil
}

// writeOrder has ent write the queries for the related rows that the part is ordered by.
func (q *Query) writeOrder(ctx context.Context, w Writer) error {
	q.order = ordering{query: q, terms: q.Page.Order, related: make([]*relation, len(q.Page.Order))}
	for i, t := range q.order.terms {
		if t.By == nil || t.By.Fit {
			continue
		}
		r := &relation{from: q.Node.Object, to: t.By.To, edge: t.By.Edge, join: t.By.Join, joined: i == 0 && q.part == withValue}
		q.order.related[i] = r
		err := r.write(ctx, w, q.Dialect, q.parameter, ordersAlias, func(s *sql.Selector) {
			switch {
			case t.By.Count:
				s.Select(sql.Count("*"))
			case r.joined:
				s.AppendSelectAs(s.C(t.By.Field.Column), joinedValue)
			default:
				s.Select(s.C(t.By.Field.Column))
			}
		})
		if err != nil {
			return err
		}
	}
	if q.part != withNull || q.order.terms[0].By == nil {
		return nil
	}
	by := q.order.terms[0].By
	r := &relation{from: q.Node.Object, to: by.To, edge: by.Edge, join: by.Join, absent: true}
	q.order.absent = r
	err := r.write(ctx, w, q.Dialect, q.parameter, ordersAlias, func(s *sql.Selector) {
		s.SelectExpr(sql.Raw("1")).Where(sql.NotNull(s.C(by.Field.Column)))
	})
	r.unrestricted = r.unrestricted && !by.Field.Nullable
	return err
}

// ordersAlias is the name of the rows that a page is ordered by. Package binding refuses tables of
// this name.
const ordersAlias = "_o"

// limitedPart adds the LIMIT of a part: the page, and what its offset skips.
func (q *Query) limitedPart(s *Statement) {
	limit := strconv.Itoa(q.Page.Limit)
	if q.Page.Offset > 0 {
		s.Args = append(s.Args, Parameter{of: theEnd})
		limit = q.placeholder(len(s.Args))
	}
	s.Text += " LIMIT " + limit
}

// beyond adds the condition that the rows of the part come after a cursor, or before it if backward
// is true. It adds none if all of them do.
func (q *Query) beyond(s *sql.Selector, of source, cursor []any, backward, too bool) {
	if cursor == nil || q.part == withValue && cursor[0] == nil || q.part == withNull && cursor[0] != nil {
		return
	}
	o, values := q.order.within(q.part), q.parameters(of, cursor)
	if q.part == withNull {
		values = values[1:]
	}
	s.Where(o.keyset(values, backward, too))
}
