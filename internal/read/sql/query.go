// Package sql writes the statements that read the nodes of plans. ent writes each query, so that
// its interceptors and policies add their conditions. This package adds what ent cannot express.
package sql

import (
	"context"
	"strconv"
	"strings"

	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/sql"

	"forge/internal/entity"
	"forge/internal/ids"
	"forge/internal/read/binding"
	"forge/internal/read/plan"
	"forge/internal/read/rows"
	"forge/internal/rule"
	"forge/internal/search"
	"forge/internal/viewer"
)

// Writer has ent write a query for rows of an entity. It returns the query without running it. The
// function shape sets the columns, conditions and order of the query.
type Writer interface {
	Write(ctx context.Context, e *entity.Entity, shape func(*sql.Selector)) (text string, args []any, err error)
}

// Query is one statement for a plan's node, with the values of its parameters. It reads rows, or
// groups of them: all rows, or those that belong to Keys. With several keys, each row that it
// returns ends with the place of the row's key in Keys, counted from 1.
type Query struct {
	Dialect string
	Viewer  viewer.Viewer
	Node    *plan.Node
	Columns []binding.Column // the columns to read
	Unsent  []int            // the indexes of columns that a tree reads, but does not return

	Page     *rows.Page    // nil to read all rows
	Summary  *rows.Summary // how rows are grouped; nil if they are not, or are all one group
	Where    Condition     // nil without a condition
	Range    *Range        // in which all rows are that fulfil Where; nil if it is not known
	Search   []string      // the words of a search; nil without one
	Deleted  bool          // the rows are those that are marked as deleted
	Restrict []func(*sql.Selector)

	// Keys are the keys of the parent rows, and KeyColumn is the column that holds them. The
	// statement for one key has its own text. PostgreSQL keeps the plan of that text, while it
	// would make a new plan for each look-up of a short list.
	KeyColumn string
	Keys      []ids.Key
	Form      ids.Form // of the keys
	Sorted    bool     // rows are ordered by their own keys

	batch *Batch // that is being written; nil if the statement is for this request alone
	links *links // that lead to the rows; nil unless the node's edge is many-to-many
	order ordering
	// fields are the conditions under which the viewer may see fields; nil if none has one.
	fields *rule.Fields
	part   part // of the page that is being written
	gate   gate // which says when the part is read
	hidden gate // the same for rows that lead nowhere, as the number of hidden related rows tells
	// inTree says that the query is written for a tree. If key is not "", it is the column there
	// that holds the key, instead of Keys. before is how many parameters the tree has before those
	// of the query.
	inTree bool
	marked bool // each row ends with the value true
	key    string
	before int
}

func (q *Query) many() bool   { return len(q.Keys) > 1 }
func (q *Query) sqlite() bool { return q.Dialect == dialect.SQLite }

// Argument returns the value of a parameter.
func (q *Query) Argument(p Parameter) any {
	switch p.of {
	case theViewer:
		return q.Viewer.ID
	case theTenant:
		return q.Viewer.TenantOf(ids.Form(p.index))
	case theKeys:
		if q.many() {
			return keyList(q.Dialect, q.Keys, q.Form)
		}
		return keyValue(q.Keys[0], q.Form)
	case theOffset:
		return q.Page.Offset
	case theEnd:
		return q.Page.Offset + q.Page.Limit
	case theSearch:
		return search.Query(q.Dialect, q.Search)
	case theWords:
		return search.List(q.Dialect, q.Search)
	case afterValue:
		return q.Page.After[p.index]
	default:
		return q.Page.Before[p.index]
	}
}

// Write has ent write the statement. It adds what ent cannot express: the limits of the page, and
// the list of keys.
func (q *Query) Write(ctx context.Context, w Writer) (*Statement, error) {
	of := *q
	of.fields = q.ruled()
	if edge := q.Node.Edge; edge != nil && edge.Edge.Through != "" {
		var err error
		if of.links, err = writeLinks(ctx, w, q.Dialect, edge.Edge, edge.Join, q.parameter, of.linked); err != nil {
			return nil, err
		}
	}
	s, err := of.writeParts(ctx, w)
	if err != nil {
		return nil, err
	}
	if of.links != nil {
		s.Dependencies = append(s.Dependencies, of.links.dependencies...)
	}
	paged := q.Page != nil
	switch {
	case q.inTree:
		if paged {
			q.limited(s)
		}
		return s, nil
	case q.many() && q.sqlite():
		if paged {
			q.numbered(s)
		}
	case paged:
		q.limited(s)
	}
	if q.many() && !q.sqlite() {
		q.lateral(s)
	}
	return s, nil
}

// shape sets the columns, conditions and order of the statement.
func (q *Query) shape(s *sql.Selector) {
	q.order.selector = s
	s.SetTotal(q.before)
	s.Select()
	if q.Node.Of != nil {
		q.summarize(s)
		return
	}
	for i, c := range q.Columns {
		if c.Rule != "" {
			s.AppendSelectExpr(sql.ExprFunc(func(b *sql.Builder) { b.Wrap(func(b *sql.Builder) { b.Join(q.fields.Sees(c.Rule, s)) }) }))
			continue
		}
		from := s
		if c.Linked {
			from, c.Name = q.links.selector, linkedColumn(i)
		}
		s.AppendSelectExpr(columnOf(c, from, &q.order, !q.inTree))
	}
	if q.Page != nil && q.order.joined() {
		q.order.related[0].joinTo(s)
	}
	q.belonging(s)
	if q.marked {
		s.AppendSelectExpr(sql.Raw("true"))
	}
	switch {
	case q.Page != nil:
		q.restrict(s)
		q.inOrder(s, q.order.inPart(q.part).orderBy(q.Page.Backward))
	case q.Sorted:
		s.OrderBy(s.C(q.Node.Object.Key.Name))
	}
	if q.Page == nil {
		q.only(s)
	}
}

// only adds the conditions of whoever asks, beside those of the request; see read.Restrict.
func (q *Query) only(s *sql.Selector) {
	for _, only := range q.Restrict {
		only(s)
	}
}

// ruled returns the fields that the columns tell the viewers of, or nil.
func (q *Query) ruled() *rule.Fields {
	var names []string
	for _, c := range q.Columns {
		if c.Rule != "" {
			names = append(names, c.Rule)
		}
	}
	if names == nil {
		return nil
	}
	return rule.NewFields(names...)
}

// within returns the context in which ent writes the query for the rows themselves. Queries inside
// of it are written in the context of the request.
func (q *Query) within(ctx context.Context) context.Context {
	if q.fields != nil {
		ctx = rule.WithFields(ctx, q.fields)
	}
	if q.Deleted {
		ctx = entity.WithDeleted(ctx)
	}
	return ctx
}

// belonging restricts the rows to those that belong to the keys, if there are keys. If the query
// encloses these rows, they are those of filter as well. If there are several keys, the last column
// is the place of the row's key.
func (q *Query) belonging(s *sql.Selector) {
	if !q.below() {
		return
	}
	own := s.C(q.KeyColumn)
	restrict := func(s *sql.Selector) {
		if q.links != nil {
			own = q.links.join(s, q.Node.Object.Key.Name)
		} else {
			q.keyed(s, own)
		}
	}
	if q.encloses() {
		enclose(s, func(s *sql.Selector) { restrict(s); q.filter(s) })
	} else {
		restrict(s)
	}
	if !q.many() || q.inTree {
		return
	}
	s.AppendSelectExpr(sql.Raw(q.place()))
	if q.sqlite() && q.Node.Of != nil {
		s.GroupBy(own) // rows of one group have one key, so its place may be selected
	}
}

// linked selects those rows of a join table that belong to the keys, with the columns that the
// query reads of them. If SQLite looks for several keys, it also selects the place of each row's
// key: the statement around can then be about these rows alone, and need not read the whole join
// table.
func (q *Query) linked(l *links) {
	q.keyed(l.selector, l.near)
	for i, c := range q.Columns {
		if c.Linked {
			l.selector.AppendSelectAs(l.selector.C(c.Name), linkedColumn(i))
		}
	}
	if q.many() && q.sqlite() {
		l.selector.AppendSelectExprAs(sql.Raw("p.key + 1"), linkedPlace)
	}
}

// keyed restricts the rows to those that have one of the keys in a column.
func (q *Query) keyed(s *sql.Selector, column string) {
	keys := q.parameter(Parameter{of: theKeys})
	switch {
	case q.key != "":
		s.Where(sql.P(func(b *sql.Builder) { b.Ident(column).WriteString(" = " + q.key) }))
	case q.inTree && q.many():
		s.Where(sql.P(func(b *sql.Builder) {
			b.Ident(column).WriteString(" = ANY(").Arg(keys).WriteString("::" + keyLists[q.Form] + ")")
		}))
	case !q.many():
		s.Where(isKey(s, column, keys, q.Form))
	case q.sqlite():
		s.AppendFromExpr(sql.ExprFunc(func(b *sql.Builder) { b.WriteString("json_each(").Arg(keys).WriteString(") AS p") }))
		s.Where(sql.P(func(b *sql.Builder) { b.Ident(column).WriteString(" = " + listedKey(q.Form)) }))
	default:
		s.Where(sql.P(func(b *sql.Builder) { b.Ident(column).WriteString(" = p.id") }))
	}
}

// place returns the place of a row's key in the list of keys, as SQL.
func (q *Query) place() string {
	switch {
	case !q.sqlite():
		return "p.n"
	case q.links != nil:
		return q.links.selector.C(linkedPlace)
	}
	return "p.key + 1"
}

// inOrder orders the rows. If SQLite reads pages for several keys, it numbers the rows of each key
// instead, and numbered takes the page by these numbers.
func (q *Query) inOrder(s *sql.Selector, order []sql.Querier) {
	if q.many() && q.sqlite() {
		s.AppendSelectExprAs(sql.RowNumber().PartitionExpr(sql.Raw(q.place())).OrderExpr(order...), "forge_row")
		return
	}
	s.OrderExpr(order...)
}

// limited adds LIMIT and OFFSET.
func (q *Query) limited(s *Statement) {
	s.Text += " LIMIT " + strconv.Itoa(q.Page.Limit)
	if q.Page.Offset > 0 {
		s.Args = append(s.Args, Parameter{of: theOffset})
		s.Text += " OFFSET " + q.placeholder(len(s.Args))
	}
}

// placeholder returns the text of the query's n-th parameter.
func (q *Query) placeholder(n int) string {
	if q.sqlite() {
		return "?"
	}
	return "$" + strconv.Itoa(q.before+n)
}

// lateral has PostgreSQL run the statement once for each key, so that no rows outside of the pages
// are read.
func (q *Query) lateral(s *Statement) {
	s.Args = append(s.Args, Parameter{of: theKeys})
	s.Text = "SELECT c.* FROM unnest(" + q.list(len(s.Args), q.Form) + ") WITH ORDINALITY AS p(id, n) CROSS JOIN LATERAL (" +
		s.Text + ") AS c"
}

// numbered keeps, of each key's rows, those of the page. SQLite, which has no LATERAL, uses it.
func (q *Query) numbered(s *Statement) {
	s.Args = append(s.Args, Parameter{of: theOffset}, Parameter{of: theEnd})
	s.Text = "SELECT * FROM (" + s.Text + ") WHERE forge_row > ? AND forge_row <= ? ORDER BY forge_row"
}

// columnOf returns the expression for a column of the rows of s, which are in the order. If
// converted is true, PostgreSQL returns the values in the type that the column's kind asks for.
func columnOf(c binding.Column, s *sql.Selector, order *ordering, converted bool) sql.Querier {
	before, after := "", ""
	if converted {
		before, after, _ = strings.Cut(conversion(c, s.Dialect()), "%s")
	}
	return sql.ExprFunc(func(b *sql.Builder) {
		b.WriteString(before)
		switch {
		case c.Shown != nil:
			shownColumn(c, b, s)
		case c.Orders != nil:
			order.value(b, c.Orders)
		default:
			b.Ident(s.C(c.Name))
		}
		b.WriteString(after)
	})
}

// shownColumn writes a subquery for a column of the one related row that an edge leads to.
func shownColumn(c binding.Column, b *sql.Builder, s *sql.Selector) {
	related := sql.Table(c.Table).As("shown")
	b.Wrap(func(b *sql.Builder) {
		b.Join(sql.Dialect(s.Dialect()).Select(related.C(c.Name)).From(related).
			Where(sql.ColumnsEQ(related.C(c.Shown.Column), s.C(c.Key))))
	})
}

// restrict adds all conditions of the page: those of filter, and those of the cursors.
func (q *Query) restrict(s *sql.Selector) {
	p := q.Page
	if !q.encloses() {
		q.filter(s)
	}
	q.pass(s)
	switch {
	case q.part == withNull && q.order.absent != nil:
		s.Where(q.leadsNowhere(s))
	case q.part != wholePage:
		s.Where(q.order.isNull(0, q.part == withNull))
	}
	q.beyond(s, afterValue, p.After, false, p.AfterToo)
	q.beyond(s, beforeValue, p.Before, true, p.BeforeToo)
}

// parameters returns a parameter for each value of a cursor. A NULL stays NULL.
func (q *Query) parameters(of source, values []any) []any {
	list := make([]any, len(values))
	for i, value := range values {
		if value != nil {
			list[i] = q.parameter(Parameter{of, i})
		}
	}
	return list
}

// filter adds the conditions that aggregates obey as well: deleted, search, where, and those of the
// resolver. If the query encloses its rows, belonging has added them there.
func (q *Query) filter(s *sql.Selector) {
	q.only(s)
	if q.Deleted {
		s.Where(sql.NotNull(s.C(q.Node.Object.Entity.Deleted)))
	}
	if q.Search != nil {
		s.Where(q.found(s))
	}
	if q.Where != nil {
		s.Where(q.where()(s))
	}
}

// Columns returns the columns of a node as an SQL list, for the RETURNING of a statement that
// changes a row.
func Columns(n *plan.Node, dialect string) string {
	of := sql.Dialect(dialect).Select().From(sql.Table(n.Object.Entity.Table))
	b := new(sql.Builder)
	b.SetDialect(dialect)
	for i, c := range n.Columns {
		if i > 0 {
			b.Comma()
		}
		b.Join(columnOf(c, of, nil, true))
	}
	return b.String()
}
