// Package encode writes rows as the JSON of an answer. If a field has no value, or the viewer may
// not see it, the error is reported at the field's path.
package encode

import (
	"context"
	"strconv"

	"github.com/99designs/gqlgen/graphql"
	"github.com/google/uuid"
	"github.com/vektah/gqlparser/v2/ast"

	"forge/internal/budget"
	"forge/internal/entity"
	"forge/internal/ids"
	"forge/internal/read/plan"
	"forge/internal/read/rows"
	"forge/internal/viewer"
)

// Writer appends the JSON of a field. Its methods return false if a field that may not be null has
// no value. Then the object around that field has no value either (GraphQL specification, section
// 6.4.4), and the caller removes what was appended.
type Writer struct {
	Bytes   []byte
	Path    ast.Path // the path below the field
	Results []rows.Result
	// Computed holds what resolvers have returned: by Output.Column of a computed field, and row.
	Computed [][]*Computed
	Viewer   viewer.Viewer
	Budget   *budget.Answer
	Cursors  *rows.Cursors

	ctx     context.Context       // the context of the field, unless fc is set
	fc      *graphql.FieldContext // the field, if ctx does not contain it; see Start
	start   int                   // where the field begins in Bytes
	counted int                   // how many of Bytes are counted in the budget
	stopped bool                  // the answer is larger than its budget
	// written is how much of the field is written, from 0 to 1, as far as the indexes in the lists
	// around say. part is how much of the field the entry is that is being written.
	written, part float64
}

// Start has the writer append to b. If field is nil, ctx is the context of the field that is
// written. Otherwise ctx is the context around it, and the field's own context is made only if
// there is an error.
func (w *Writer) Start(ctx context.Context, field *graphql.FieldContext, b []byte) {
	w.ctx, w.fc, w.Bytes, w.start, w.counted, w.written, w.part = ctx, field, b, len(b), len(b), 0, 1
}

// countedAtOnce is how many bytes are written before they are counted in the budget.
const countedAtOnce = 4 << 10

// fits reports whether the answer is still within its budget. If it is not, the caller must stop,
// and not even write null.
func (w *Writer) fits() bool {
	if len(w.Bytes)-w.counted >= countedAtOnce {
		w.Count()
		w.grow()
	}
	return !w.stopped
}

// grow makes room for the rest of a large field, as the part of its lists that is written lets
// expect, and for a quarter more. Otherwise append would make room again and again, and each time
// the field would be in memory twice. Memory that is not written to is not occupied: slices.Grow
// would write zeros.
func (w *Writer) grow() {
	const large, enough = 64 << 10, 1. / 32
	size := len(w.Bytes) - w.start
	if size < large || w.written < enough || cap(w.Bytes)-len(w.Bytes) > 2*countedAtOnce {
		return
	}
	if rest := min(int(float64(size)/w.written*5/4)-size, w.Budget.Left()); rest > cap(w.Bytes)-len(w.Bytes) {
		w.Bytes = append(make([]byte, 0, len(w.Bytes)+rest), w.Bytes...)
	}
}

// Count adds to the budget what was written since the last call. It returns false if the answer is
// now larger than its budget.
func (w *Writer) Count() bool {
	if n := len(w.Bytes) - w.counted; n > 0 { // bytes that were removed stay counted
		w.counted = len(w.Bytes)
		w.stopped = !w.Budget.Write(n)
	}
	return !w.stopped
}

// Object appends a row as a JSON object.
func (w *Writer) Object(s *plan.Selection, row int) bool {
	w.Bytes = append(w.Bytes, '{')
	for i := range s.Fields {
		if i > 0 {
			w.Bytes = append(w.Bytes, ',')
		}
		if !w.field(&s.Fields[i], s.Node, row) {
			return false
		}
	}
	w.Bytes = append(w.Bytes, '}')
	return true
}

// field appends a field of an object. It appends null if the field has no value and may be null.
func (w *Writer) field(out *plan.Output, n *plan.Node, row int) bool {
	if !w.fits() {
		return false
	}
	w.Bytes = append(w.Bytes, out.Key...)
	if out.Visible != entity.ToAll && !Sees(w.Viewer, out, n, &w.Results[n.Index].Table, row) {
		w.hide(out)
		return !out.NonNull
	}
	if n.Of != nil {
		if fault := w.Results[n.Index].Summary.Fault(out.Column); fault != nil && out.Kind != plan.SameRow && out.Kind != plan.Constant {
			return w.faulty(out, fault)
		}
	}
	if out.Kind <= plan.ValueColumn {
		return w.column(out, n, row)
	}
	start, depth := len(w.Bytes), len(w.Path)
	w.Path = append(w.Path, out.Step)
	ok := w.related(out, row)
	w.Path = w.Path[:depth]
	if ok {
		return true
	}
	if w.stopped {
		return false
	}
	w.Bytes = append(w.Bytes[:start], "null"...)
	return !out.NonNull
}

// column appends the value of a column. A value that is not of the column's kind is never written,
// whatever the database holds.
func (w *Writer) column(out *plan.Output, n *plan.Node, row int) bool {
	switch out.Kind {
	case plan.Constant:
		w.Bytes = append(w.Bytes, out.Text...)
		return true
	case plan.Unknown:
		return w.unwritable(out, "nothing says how to write this field")
	}
	if row < 0 {
		return w.ofNone(out, n)
	}
	value, null := w.Results[n.Index].Table.Cell(row, out.Column)
	if null || out.Shows != nil && out.Shows.Kind == entity.JSON && string(value) == "null" {
		if out.NonNull {
			w.missing(out.Step)
		}
		w.Bytes = append(w.Bytes, "null"...)
		return !out.NonNull
	}
	b, ok := appendColumn(out, w.Bytes, value)
	if m := n.Columns[out.Column].Measure; !ok && m != nil {
		return w.faulty(out, tooLarge(m, out))
	}
	if !ok {
		return w.unwritable(out, "the column "+n.Columns[out.Column].Name+" of "+n.Object.Entity.Name+" holds a value that is none of its kind")
	}
	w.Bytes = b
	return true
}

// appendColumn appends the value of a column. It returns false if the value is not of the column's
// kind.
func appendColumn(out *plan.Output, b, value []byte) (_ []byte, ok bool) {
	switch out.Kind {
	case plan.IDColumn:
		return appendID(out, b, value)
	case plan.ValueColumn:
		return out.Write(out.Shows, b, value)
	}
	return b, false
}

// appendID appends a key as an ID.
func appendID(out *plan.Output, b, key []byte) (_ []byte, ok bool) {
	b = append(b, '"')
	switch {
	case out.Form != ids.UUID:
		ok = out.Form == ids.Number || ids.ValidText(key)
		b = ids.AppendText(b, out.Prefix, key)
	case len(key) == len(uuid.UUID{}):
		ok = true
		b = ids.Append(b, out.Prefix, [16]byte(key))
	}
	return append(b, '"'), ok
}

// related appends the rows that an edge leads to. It returns false if the field has no value.
func (w *Writer) related(out *plan.Output, row int) bool {
	switch out.Kind {
	case plan.OfResolver:
		return w.computed(out, row)
	case plan.SameRow:
		return w.Object(out.Nested, row)
	case plan.OneRow:
		found := w.Results[out.Nested.Node.Index].Rows(row)
		if len(found) == 0 {
			if out.NonNull {
				w.missing()
			}
			return false
		}
		return w.Object(out.Nested, int(found[0]))
	case plan.ManyRows:
		return w.objects(out.Nested, w.Results[out.Nested.Node.Index].Rows(row))
	case plan.OneOf:
		return w.oneOf(out, row)
	case plan.ManyOf:
		return w.manyOf(out.Members, row)
	default:
		for i := range 1 + len(out.Page.Others) {
			if err := w.Results[out.Page.Part(i).Node.Index].Fault; err != nil {
				w.refuse(out, err)
				return false
			}
		}
		return w.Connection(out.Page, row)
	}
}

// oneOf appends the row that the first of several edges leads to. It returns false if none does.
func (w *Writer) oneOf(out *plan.Output, row int) bool {
	for _, s := range out.Members {
		if found := w.Results[s.Node.Index].Rows(row); len(found) > 0 {
			return w.Object(s, int(found[0]))
		}
	}
	return false
}

// manyOf appends a list of the rows that several edges lead to. It returns false if one of them has
// no value.
func (w *Writer) manyOf(members []*plan.Selection, row int) bool {
	results := make([]*rows.Result, len(members))
	for i, s := range members {
		results[i] = &w.Results[s.Node.Index]
	}
	list := rows.Merge(results, members[0].Node.Object.Key.Form, row)
	return w.list(len(list.Rows), func(i int) bool { return w.Object(members[list.Part(i)], int(list.Rows[i])) })
}

// objects appends a list of objects. It returns false if one of them has no value, as none may be
// null.
func (w *Writer) objects(s *plan.Selection, list []int32) bool {
	return w.list(len(list), func(i int) bool { return w.Object(s, int(list[i])) })
}

// list appends a list of n entries, each of which entry appends. It returns false if entry does.
func (w *Writer) list(n int, entry func(i int) bool) (ok bool) {
	before, part := w.written, w.part
	w.part /= float64(n)
	w.Bytes = append(w.Bytes, '[')
	ok = true
	for i := range n {
		if i > 0 {
			w.Bytes = append(w.Bytes, ',')
		}
		w.written = before + float64(i)*w.part
		w.Path = append(w.Path, ast.PathIndex(i))
		if ok = entry(i); !ok {
			break
		}
		w.Path = w.Path[:len(w.Path)-1]
	}
	w.written, w.part = before, part
	w.Bytes = append(w.Bytes, ']')
	return ok
}

// Connection appends the page that belongs to a row of the parent node.
func (w *Writer) Connection(c *plan.Connection, parent int) bool {
	page := w.window(c, parent)
	w.Bytes = append(w.Bytes, '{')
	for i := range c.Fields {
		if i > 0 {
			w.Bytes = append(w.Bytes, ',')
		}
		if !w.fits() {
			return false
		}
		out := &c.Fields[i]
		w.Bytes = append(w.Bytes, out.Key...)
		if out.Kind == plan.Unknown && !w.column(out, c.Node, 0) {
			return false
		}
		w.Path = append(w.Path, out.Step)
		switch out.Kind {
		case plan.Constant:
			w.Bytes = append(w.Bytes, out.Text...)
		case plan.PageCount:
			w.Bytes = strconv.AppendInt(w.Bytes, w.count(c, i, parent), 10)
		case plan.PageAggregate:
			if !w.Object(out.Nested, w.totals(c, parent)) {
				return false
			}
		case plan.PageGroups:
			if !w.groups(out, parent) {
				return false
			}
		case plan.PageNodes:
			if !w.list(len(page.Rows), func(row int) bool { return w.Object(c.Part(page.Part(row)).Fields[i].Nested, int(page.Rows[row])) }) {
				return false
			}
		case plan.PageEdges:
			if !w.list(len(page.Rows), func(row int) bool { return w.edge(c.Part(page.Part(row)).Fields[i].Fields, c, &page, row) }) {
				return false
			}
		case plan.PageInfo:
			if !w.pageInfo(out, c, &page) {
				return false
			}
		}
		w.Path = w.Path[:len(w.Path)-1]
	}
	w.Bytes = append(w.Bytes, '}')
	return true
}

// window returns the page that belongs to a row of the parent node.
func (w *Writer) window(c *plan.Connection, parent int) (page rows.Window) {
	if !c.Node.Rows {
		return page
	}
	first := &w.Results[c.Node.Index]
	if c.Others == nil {
		return first.Window(parent)
	}
	results := []*rows.Result{first}
	for _, other := range c.Others {
		results = append(results, &w.Results[other.Node.Index])
	}
	return rows.Merge(results, c.Node.Object.Key.Form, parent)
}

// edge appends the edge of a row, of which at is the index in the page.
func (w *Writer) edge(fields []plan.Output, c *plan.Connection, page *rows.Window, at int) bool {
	w.Bytes = append(w.Bytes, '{')
	for i := range fields {
		if i > 0 {
			w.Bytes = append(w.Bytes, ',')
		}
		if !w.fits() {
			return false
		}
		out := &fields[i]
		switch out.Kind {
		default: // a column of the join table
			if !w.field(out, c.Part(page.Part(at)).Node, int(page.Rows[at])) {
				return false
			}
		case plan.EdgeCursor:
			w.Bytes = append(w.Bytes, out.Key...)
			w.cursor(c, page, at)
		case plan.EdgeNode:
			w.Bytes = append(w.Bytes, out.Key...)
			w.Path = append(w.Path, out.Step)
			if !w.Object(out.Nested, int(page.Rows[at])) {
				return false
			}
			w.Path = w.Path[:len(w.Path)-1]
		}
	}
	w.Bytes = append(w.Bytes, '}')
	return true
}

// cursor appends the cursor of the row at an index of the page.
func (w *Writer) cursor(c *plan.Connection, page *rows.Window, at int) {
	res := &w.Results[c.Part(page.Part(at)).Node.Index]
	w.Bytes = append(w.Bytes, '"')
	w.Bytes = append(w.Cursors.Append(w.Bytes, res.Page.Fingerprint, res.Page.Order, &res.Table, int(page.Rows[at]), res.Cursor), '"')
}

func (w *Writer) pageInfo(out *plan.Output, c *plan.Connection, page *rows.Window) bool {
	w.Bytes = append(w.Bytes, '{')
	for i := range out.Fields {
		if i > 0 {
			w.Bytes = append(w.Bytes, ',')
		}
		field := &out.Fields[i]
		w.Bytes = append(w.Bytes, field.Key...)
		switch {
		case field.Kind == plan.Unknown:
			if !w.column(field, nil, 0) {
				return false
			}
		case field.Kind == plan.Constant:
			w.Bytes = append(w.Bytes, field.Text...)
		case field.Kind == plan.HasNextPage:
			w.Bytes = strconv.AppendBool(w.Bytes, page.Next)
		case field.Kind == plan.HasPreviousPage:
			w.Bytes = strconv.AppendBool(w.Bytes, page.Previous)
		case len(page.Rows) == 0:
			w.Bytes = append(w.Bytes, "null"...)
		case field.Kind == plan.StartCursor:
			w.cursor(c, page, 0)
		case field.Kind == plan.EndCursor:
			w.cursor(c, page, len(page.Rows)-1)
		}
	}
	w.Bytes = append(w.Bytes, '}')
	return true
}
