package sql

import (
	"context"
	"strconv"

	"entgo.io/ent/dialect/sql"
)

// part says which rows of a page a query reads. A page with a cursor is read in two parts if the
// first term of its order may be NULL: no single range of an index holds the rows that follow the
// cursor and those with NULL, which come last.
type part byte

const (
	wholePage part = iota
	withValue      // the rows that have a value in the first term
	withNull       // the rows that have NULL there
)

// parts returns the parts of the page, in their order. An order by related rows or by a language
// has no index, so its page is read as a whole. So are the pages of several keys on SQLite, which
// numbers all rows of each key.
func (q *Query) parts() []part {
	p := q.Page
	if p == nil || p.After == nil && p.Before == nil || q.many() && q.sqlite() {
		return []part{wholePage}
	}
	if t := p.Order[0]; !t.Nullable || t.By != nil || t.Collation != "" {
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

// writeParts has ent write the query for each part of the page, and joins them by UNION ALL. Each
// part is limited, since it may be the whole page. Both databases read the parts one after the
// other, and none that the limit of the page does not need. PostgreSQL reads no subqueries with a
// LIMIT in parallel.
func (q *Query) writeParts(ctx context.Context, w Writer) (*Statement, error) {
	parts, e := q.parts(), q.Node.Object.Entity
	if q.part = parts[0]; len(parts) == 1 {
		return write(ctx, w, e, q.parameter, q.within, q.shape)
	}
	all := new(Statement)
	for _, part := range parts {
		of := *q
		of.part, of.before = part, q.before+len(all.Args)
		s, err := write(ctx, w, e, of.parameter, of.within, of.shape)
		if err != nil {
			return nil, err
		}
		of.limitedPart(s)
		if all.Text != "" {
			all.Text += " UNION ALL "
		}
		all.Text += "SELECT * FROM (" + s.Text + ") AS _s"
		all.Args = append(all.Args, s.Args...)
		all.Dependencies = append(all.Dependencies, s.Dependencies...)
	}
	return all, nil
}

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
