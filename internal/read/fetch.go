package read

import (
	"context"
	"database/sql/driver"
	"strconv"

	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/sql"
	"github.com/google/uuid"

	"forge/internal/entity"
)

// fetch is one statement of a level: rows, or how many there are; all, or those that belong to keys.
type fetch struct {
	*run
	level   *level
	columns []column // to read; none to count
	page    *page    // nil but for a connection
	// What belongs to which key. The statement for one key is a text of its own: PostgreSQL keeps the plan of that, where it would plan
	// the lookup of a short list anew each time.
	column string
	keys   []uuid.UUID
	sorted bool   // by the rows' own keys
	alone  bool   // the statement is not shared
	joint  *joint // that is being written; nil if the statement is for this request alone
}

func (f *fetch) counts() bool { return len(f.columns) == 0 }
func (f *fetch) many() bool   { return len(f.keys) > 1 }
func (f *fetch) sqlite() bool { return f.unit.Dialect() == dialect.SQLite }

// each runs the statement and hands over its rows. If there are several keys, the last value of a row is the place of its key, from 1.
func (f *fetch) each(ctx context.Context, row func([]driver.Value) error) error {
	s, err := f.statement(ctx)
	if err != nil {
		return err
	}
	if f.mayShare(s) {
		return s.readShared(ctx, f, row)
	}
	return f.unit.Read(ctx, row, s.Text, s.arguments(f.argument))
}

func (f *fetch) statement(ctx context.Context) (*statement, error) {
	var space [128]byte
	key := f.appendKey(space[:0])
	if f.page != nil && (f.page.where != nil || f.page.only != nil) {
		return f.write(ctx) // with conditions there is no end of texts
	}
	if s := f.level.texts.find(ctx, key); s != nil {
		f.note(s)
		return s, nil
	}
	s, err := f.write(ctx)
	if err == nil {
		if f.sharable() {
			s.shared = new(shared)
		}
		f.level.texts.keep(key, s)
	}
	return s, err
}

// appendKey appends all that the text depends on, for one level.
func (f *fetch) appendKey(b []byte) []byte {
	b = append(b, byte('0'+f.viewer.Role))
	b = strconv.AppendBool(b, f.counts())
	b = strconv.AppendBool(b, f.many())
	if f.page == nil {
		return b
	}
	b = strconv.AppendInt(b, int64(f.page.limit()), 10)
	b = strconv.AppendBool(b, f.page.offset > 0)
	b = strconv.AppendBool(b, f.page.backward())
	for _, t := range f.page.order {
		b = strconv.AppendBool(append(append(b, ','), t.column...), t.desc)
	}
	b = appendNulls(b, f.page.after)
	return appendNulls(b, f.page.before)
}

func appendNulls(b []byte, cursor []any) []byte {
	b = append(b, ';')
	for _, value := range cursor {
		b = strconv.AppendBool(b, value == nil)
	}
	return b
}

// argument returns the value of a parameter.
func (f *fetch) argument(p parameter) any {
	switch p.of {
	case theViewer:
		return f.viewer.ID
	case theKeys:
		if f.many() {
			return f.keys
		}
		return f.keys[0]
	case theOffset:
		return f.page.offset
	case theEnd:
		return f.page.offset + f.page.limit()
	case afterValue:
		return f.page.after[p.index]
	default:
		return f.page.before[p.index]
	}
}

// write has ent write the statement, and puts around it what ent has no words for.
func (f *fetch) write(ctx context.Context) (*statement, error) {
	s, err := f.written(ctx, f.level.object.Entity, f.parameter(parameter{of: theViewer}), f.shape)
	if err != nil {
		return nil, err
	}
	paged := f.page != nil && !f.counts()
	switch {
	case f.many() && f.sqlite():
		if paged {
			f.numbered(s)
		}
	case paged:
		f.limited(s)
	}
	if f.many() && !f.sqlite() {
		f.lateral(s)
	}
	return s, nil
}

// shape makes the statement of a query of the level's rows.
func (f *fetch) shape(s *sql.Selector) {
	s.Select()
	if f.counts() {
		s.Select(sql.Count("*"))
	}
	for _, c := range f.columns {
		s.AppendSelectExpr(c.in(s))
	}
	if f.keys != nil {
		f.belonging(s)
	}
	switch {
	case f.page != nil && f.counts():
		f.page.filter(s)
	case f.page != nil:
		f.restrict(s)
		f.inOrder(s, orderBy(s, f.page.order, f.page.backward()))
	case f.sorted:
		s.OrderBy(s.C(f.level.object.key().name))
	}
}

// belonging restricts the rows to those of the keys.
func (f *fetch) belonging(s *sql.Selector) {
	keys := f.parameter(parameter{of: theKeys})
	own := s.C(f.column)
	switch {
	case !f.many():
		s.Where(sql.EQ(own, keys))
	case f.sqlite():
		s.AppendFromExpr(sql.ExprFunc(func(b *sql.Builder) { b.WriteString("json_each(").Arg(keys).WriteString(") AS p") }))
		s.AppendSelectExpr(sql.Raw("p.key + 1"))
		s.Where(sql.P(func(b *sql.Builder) { b.Ident(own).WriteString(" = unhex(p.value)") }))
		if f.counts() {
			s.GroupBy(own) // of one key each, so that p.key may stand beside it
		}
	default:
		s.AppendSelectExpr(sql.Raw("p.n"))
		s.Where(sql.P(func(b *sql.Builder) { b.Ident(own).WriteString(" = p.id") }))
	}
}

// inOrder orders the rows, or numbers those of each key where SQLite is to cut several pages.
func (f *fetch) inOrder(s *sql.Selector, order []sql.Querier) {
	if f.many() && f.sqlite() {
		s.AppendSelectExprAs(sql.RowNumber().PartitionExpr(sql.Raw("p.key")).OrderExpr(order...), "forge_row")
		return
	}
	s.OrderExpr(order...)
}

// limited cuts the page.
func (f *fetch) limited(s *statement) {
	s.Text += " LIMIT " + strconv.Itoa(f.page.limit())
	if f.page.offset > 0 {
		s.Args = append(s.Args, parameter{of: theOffset})
		s.Text += " OFFSET " + f.placeholder(len(s.Args))
	}
}

// placeholder returns how the n-th parameter is written.
func (f *fetch) placeholder(n int) string {
	if f.sqlite() {
		return "?"
	}
	return "$" + strconv.Itoa(n)
}

// lateral runs the statement once for each key, so that no more is read than asked for.
func (f *fetch) lateral(s *statement) {
	s.Args = append(s.Args, parameter{of: theKeys})
	s.Text = "SELECT c.* FROM unnest(" + f.list(len(s.Args)) + ") WITH ORDINALITY AS p(id, n) CROSS JOIN LATERAL (" +
		s.Text + ") AS c"
}

// numbered cuts the page of each key where there is no LATERAL.
func (f *fetch) numbered(s *statement) {
	s.Args = append(s.Args, parameter{of: theOffset}, parameter{of: theEnd})
	s.Text = "SELECT * FROM (" + s.Text + ") WHERE forge_row > ? AND forge_row <= ? ORDER BY forge_row"
}

// in returns the expression for the column of a row of s.
func (c column) in(s *sql.Selector) sql.Querier {
	return sql.ExprFunc(func(b *sql.Builder) {
		switch {
		case c.shown != nil:
			c.shownBy(b, s)
		case c.kind == entity.ID && s.Dialect() == dialect.Postgres:
			// The 16 bytes: lib/pq would write a uuid out as text.
			b.WriteString("uuid_send(").Ident(s.C(c.name)).WriteByte(')')
		default:
			b.Ident(s.C(c.name))
		}
	})
}

// shownBy writes the query for the column of the one row that the edge reaches.
func (c column) shownBy(b *sql.Builder, s *sql.Selector) {
	related := sql.Table(c.table).As("shown")
	b.Wrap(func(b *sql.Builder) {
		b.Join(sql.Dialect(s.Dialect()).Select(related.C(c.name)).From(related).
			Where(sql.ColumnsEQ(related.C(c.shown.Column), s.C(c.key))))
	})
}
