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
	counted int                   // how many of Bytes are counted in the budget
	stopped bool                  // the answer is larger than its budget
}

// Start has the writer append to b. If field is nil, ctx is the context of the field that is
// written. Otherwise ctx is the context around it, and the field's own context is made only if
// there is an error.
func (w *Writer) Start(ctx context.Context, field *graphql.FieldContext, b []byte) {
	w.ctx, w.fc, w.Bytes, w.counted = ctx, field, b, len(b)
}

// countedAtOnce is how many bytes are written before they are counted in the budget.
const countedAtOnce = 4 << 10

// fits reports whether the answer is still within its budget. If it is not, the caller must stop,
// and not even write null.
func (w *Writer) fits() bool {
	if len(w.Bytes)-w.counted >= countedAtOnce {
		w.Count()
	}
	return !w.stopped
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
	value, null := w.Results[n.Index].Table.Cell(row, out.Column)
	if null {
		if out.NonNull {
			w.missing(out.Step)
		}
		w.Bytes = append(w.Bytes, "null"...)
		return !out.NonNull
	}
	b, ok := appendColumn(out, w.Bytes, value)
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
	default:
		if err := w.Results[out.Page.Node.Index].Fault; err != nil {
			w.refuse(out, err)
			return false
		}
		return w.Connection(out.Page, row)
	}
}

// objects appends a list of objects. It returns false if one of them has no value, as none may be
// null.
func (w *Writer) objects(s *plan.Selection, list []int32) bool {
	w.Bytes = append(w.Bytes, '[')
	for i, row := range list {
		if i > 0 {
			w.Bytes = append(w.Bytes, ',')
		}
		w.Path = append(w.Path, ast.PathIndex(i))
		if !w.Object(s, int(row)) {
			return false
		}
		w.Path = w.Path[:len(w.Path)-1]
	}
	w.Bytes = append(w.Bytes, ']')
	return true
}

// Connection appends the page that belongs to a row of the parent node.
func (w *Writer) Connection(c *plan.Connection, parent int) bool {
	res := &w.Results[c.Node.Index]
	var page rows.Window
	if c.Node.Rows {
		page = res.Window(parent)
	}
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
			w.Bytes = strconv.AppendInt(w.Bytes, res.Count(parent), 10)
		case plan.PageNodes:
			if !w.objects(out.Nested, page.Rows) {
				return false
			}
		case plan.PageEdges:
			if !w.edges(out, c.Node, page.Rows) {
				return false
			}
		case plan.PageInfo:
			if !w.pageInfo(out, res, page) {
				return false
			}
		}
		w.Path = w.Path[:len(w.Path)-1]
	}
	w.Bytes = append(w.Bytes, '}')
	return true
}

func (w *Writer) edges(out *plan.Output, n *plan.Node, list []int32) bool {
	w.Bytes = append(w.Bytes, '[')
	for i, row := range list {
		if i > 0 {
			w.Bytes = append(w.Bytes, ',')
		}
		w.Path = append(w.Path, ast.PathIndex(i))
		if !w.edge(out.Fields, n, int(row)) {
			return false
		}
		w.Path = w.Path[:len(w.Path)-1]
	}
	w.Bytes = append(w.Bytes, ']')
	return true
}

func (w *Writer) edge(fields []plan.Output, n *plan.Node, row int) bool {
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
			if !w.field(out, n, row) {
				return false
			}
		case plan.EdgeCursor:
			w.Bytes = append(w.Bytes, out.Key...)
			w.cursor(&w.Results[n.Index], row)
		case plan.EdgeNode:
			w.Bytes = append(w.Bytes, out.Key...)
			w.Path = append(w.Path, out.Step)
			if !w.Object(out.Nested, row) {
				return false
			}
			w.Path = w.Path[:len(w.Path)-1]
		}
	}
	w.Bytes = append(w.Bytes, '}')
	return true
}

func (w *Writer) cursor(res *rows.Result, row int) {
	w.Bytes = append(w.Bytes, '"')
	w.Bytes = append(w.Cursors.Append(w.Bytes, res.Page.Fingerprint, &res.Table, row, res.Cursor), '"')
}

func (w *Writer) pageInfo(out *plan.Output, res *rows.Result, page rows.Window) bool {
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
			w.cursor(res, int(page.Rows[0]))
		case field.Kind == plan.EndCursor:
			w.cursor(res, int(page.Rows[len(page.Rows)-1]))
		}
	}
	w.Bytes = append(w.Bytes, '}')
	return true
}
