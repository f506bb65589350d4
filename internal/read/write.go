package read

import (
	"bytes"
	"context"
	"errors"
	"math"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/99designs/gqlgen/graphql"
	"github.com/google/uuid"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"forge/internal/apperr"
	"forge/internal/entity"
	"forge/internal/ids"
	"forge/internal/viewer"
)

// writer appends an answer's JSON. Its methods return false where a field that may not be null has no value: whoever called them
// then has no value either (GraphQL specification, section 6.4.4), and takes back what was appended.
type writer struct {
	*run
	ctx  context.Context
	b    []byte
	path ast.Path // below the field's own

	counted int  // how long b was when the budget last heard of it
	stopped bool // the budget is exceeded
}

func (r *run) newWriter(ctx context.Context, b []byte) *writer {
	return &writer{run: r, ctx: ctx, b: b, counted: len(b), stopped: r.budget.Exceeded()}
}

// countedAtOnce is how many bytes are written before the budget hears of them.
const countedAtOnce = 4 << 10

// fits reports whether the answer is still within its budget. If not, nothing more may be written, null included.
func (w *writer) fits() bool {
	if len(w.b)-w.counted >= countedAtOnce {
		w.count()
	}
	return !w.stopped
}

// count has the budget know of what was written since it last heard of it.
func (w *writer) count() {
	if n := len(w.b) - w.counted; n > 0 { // what was taken back stays counted
		w.counted = len(w.b)
		w.stopped = !w.budget.Write(n)
	}
}

// write returns what f writes, or a null if nothing is left of it; the error that left nothing has been reported then.
func (r *run) write(ctx context.Context, p *plan, f func(*writer) bool) graphql.Marshaler {
	w := r.newWriter(ctx, make([]byte, 0, p.written.size()))
	ok := f(w)
	w.count()
	if !ok || w.stopped {
		return graphql.Null
	}
	p.written.took(len(w.b))
	return written(w.b)
}

// missing reports the field at the path, which may not be null and has no value.
func (w *writer) missing(path ...ast.PathElement) {
	if w.budget.SkipError(apperr.CodeInternal) {
		return
	}
	graphql.AddErrorf(w.at(path...), "must not be null")
}

// refuse reports what is wrong with the arguments of the field that is being written.
func (w *writer) refuse(out *output, err *apperr.Error) {
	if w.budget.SkipError(err.Code) {
		return
	}
	graphql.AddError(w.at(), &gqlerror.Error{Err: err, Message: err.Message,
		Locations: []gqlerror.Location{{Line: out.at.Line, Column: out.at.Column}}})
}

// at returns the context of the field at the path, as if gqlgen had come there by itself: errors take their path from it.
func (w *writer) at(path ...ast.PathElement) context.Context {
	ctx := w.ctx
	for _, step := range slices.Concat(w.path, path) {
		fc := new(graphql.FieldContext)
		switch step := step.(type) {
		case ast.PathName:
			fc.Field.Field = &ast.Field{Alias: string(step)}
		case ast.PathIndex:
			fc.Index = new(int(step))
		}
		ctx = graphql.WithFieldContext(ctx, fc)
	}
	return ctx
}

func (w *writer) object(s *selection, row int) bool {
	w.b = append(w.b, '{')
	for i := range s.fields {
		if i > 0 {
			w.b = append(w.b, ',')
		}
		if !w.field(&s.fields[i], s.level, row) {
			return false
		}
	}
	w.b = append(w.b, '}')
	return true
}

// field writes a field of an object, or null in its place if it may be null.
func (w *writer) field(out *output, l *level, row int) bool {
	if !w.fits() {
		return false
	}
	w.b = append(w.b, out.key...)
	if out.visible != entity.ToAll && !w.sees(out, l, row) {
		w.hide(out)
		return !out.nonNull
	}
	if out.kind <= enumColumn {
		return w.column(out, l, row)
	}
	start, depth := len(w.b), len(w.path)
	w.path = append(w.path, out.step)
	ok := w.related(out, row)
	w.path = w.path[:depth]
	if ok {
		return true
	}
	if w.stopped {
		return false
	}
	w.b = append(w.b[:start], "null"...)
	return !out.nonNull
}

// sees reports whether the viewer may see a field that is not for all.
func (w *writer) sees(out *output, l *level, row int) bool {
	if out.visible == entity.ToNobody || w.viewer.Role == viewer.Admin {
		return out.visible != entity.ToNobody
	}
	owner, null := w.results[l.slot].table.cell(row, out.owner)
	return w.viewer.Role == viewer.User && !null && uuid.UUID(owner) == w.viewer.ID
}

// hide writes null in the place of a field that the viewer may not see, and says so.
func (w *writer) hide(out *output) {
	w.b = append(w.b, "null"...)
	if w.budget.SkipError(apperr.CodeForbidden) {
		return
	}
	err := apperr.Forbidden("", "you may not see this")
	graphql.AddError(w.at(out.step), &gqlerror.Error{Err: err, Message: err.Message,
		Locations: []gqlerror.Location{{Line: out.at.Line, Column: out.at.Column}}})
}

// column writes a column's value. Whatever the database holds there, it is written as JSON of the column's kind or not at all.
func (w *writer) column(out *output, l *level, row int) bool {
	switch out.kind {
	case constant:
		w.b = append(w.b, out.text...)
		return true
	case unknown:
		return w.unwritable(out, "nothing says how to write this field")
	}
	value, null := w.results[l.slot].table.cell(row, out.column)
	if null {
		if out.nonNull {
			w.missing(out.step)
		}
		w.b = append(w.b, "null"...)
		return !out.nonNull
	}
	b, ok := out.append(w.b, value)
	if !ok {
		return w.unwritable(out, "the column "+l.columns[out.column].name+" of "+l.object.Name+" holds a value that is none of its kind")
	}
	w.b = b
	return true
}

// append appends a column's value. It returns false if it is none that the kind can have.
func (out *output) append(b, value []byte) (_ []byte, ok bool) {
	switch out.kind {
	case idColumn:
		if len(value) != len(uuid.UUID{}) {
			return b, false
		}
		b = append(b, '"')
		return append(ids.Append(b, out.prefix, [16]byte(value)), '"'), true
	case textColumn:
		return appendString(b, value), utf8.Valid(value)
	case timeColumn:
		return appendString(b, value), isTime(value)
	case enumColumn:
		for _, known := range out.values {
			if known == string(value) {
				return appendString(b, value), true
			}
		}
	case numberColumn:
		return append(b, value...), isInt(value)
	case boolColumn:
		switch string(value) { // SQLite has no truth values, but 1 and 0
		case "true", "1":
			return append(b, "true"...), true
		case "false", "0":
			return append(b, "false"...), true
		}
	}
	return b, false
}

// isInt reports whether the text is a number that an Int can be (GraphQL specification, section 3.5.1).
func isInt(text []byte) bool {
	digits := bytes.TrimPrefix(text, []byte("-"))
	if len(digits) == 0 || len(digits) > 10 || digits[0] == '0' && len(text) > 1 {
		return false
	}
	var n int64
	for _, c := range digits {
		if c < '0' || c > '9' {
			return false
		}
		n = n*10 + int64(c-'0')
	}
	if len(digits) < len(text) {
		n = -n
	}
	return n >= math.MinInt32 && n <= math.MaxInt32
}

// isTime tells a moment of a four-digit year from what else a database may have for one, such as infinity.
func isTime(text []byte) bool {
	return len(text) > len("2026-01-02T") && text[4] == '-' && text[10] == 'T'
}

// unwritable writes null in the place of a field that cannot be written, and says why to the log.
func (w *writer) unwritable(out *output, why string) bool {
	graphql.AddError(w.at(out.step), &gqlerror.Error{Err: errors.New("read: " + why),
		Locations: []gqlerror.Location{{Line: out.at.Line, Column: out.at.Column}}})
	w.b = append(w.b, "null"...)
	return !out.nonNull
}

// related writes related rows. It returns false where there is nothing to write.
func (w *writer) related(out *output, row int) bool {
	switch out.kind {
	case oneRow:
		rows := w.results[out.nested.level.slot].rows(row)
		if len(rows) == 0 {
			if out.nonNull {
				w.missing()
			}
			return false
		}
		return w.object(out.nested, int(rows[0]))
	case manyRows:
		return w.objects(out.nested, w.results[out.nested.level.slot].rows(row))
	default:
		if err := w.results[out.page.level.slot].fault; err != nil {
			w.refuse(out, err)
			return false
		}
		return w.connection(out.page, row)
	}
}

// objects writes a list of objects, none of which may be null.
func (w *writer) objects(s *selection, rows []int32) bool {
	w.b = append(w.b, '[')
	for i, row := range rows {
		if i > 0 {
			w.b = append(w.b, ',')
		}
		w.path = append(w.path, ast.PathIndex(i))
		if !w.object(s, int(row)) {
			return false
		}
		w.path = w.path[:len(w.path)-1]
	}
	w.b = append(w.b, ']')
	return true
}

// connection writes the page that belongs to a row of the level above.
func (w *writer) connection(c *connection, parent int) bool {
	res := &w.results[c.level.slot]
	var page window
	if c.level.rows {
		page = res.window(parent)
	}
	w.b = append(w.b, '{')
	for i := range c.fields {
		if i > 0 {
			w.b = append(w.b, ',')
		}
		if !w.fits() {
			return false
		}
		out := &c.fields[i]
		w.b = append(w.b, out.key...)
		if out.kind == unknown && !w.column(out, c.level, 0) {
			return false
		}
		w.path = append(w.path, out.step)
		switch out.kind {
		case constant:
			w.b = append(w.b, out.text...)
		case pageCount:
			w.b = strconv.AppendInt(w.b, res.count(parent), 10)
		case pageNodes:
			if !w.objects(out.nested, page.rows) {
				return false
			}
		case pageEdges:
			if !w.edges(out, res, page.rows) {
				return false
			}
		case pageInfo:
			if !w.pageInfo(out, res, page) {
				return false
			}
		}
		w.path = w.path[:len(w.path)-1]
	}
	w.b = append(w.b, '}')
	return true
}

func (w *writer) edges(out *output, res *result, rows []int32) bool {
	w.b = append(w.b, '[')
	for i, row := range rows {
		if i > 0 {
			w.b = append(w.b, ',')
		}
		w.path = append(w.path, ast.PathIndex(i))
		if !w.edge(out.fields, res, int(row)) {
			return false
		}
		w.path = w.path[:len(w.path)-1]
	}
	w.b = append(w.b, ']')
	return true
}

func (w *writer) edge(fields []output, res *result, row int) bool {
	w.b = append(w.b, '{')
	for i := range fields {
		if i > 0 {
			w.b = append(w.b, ',')
		}
		if !w.fits() {
			return false
		}
		out := &fields[i]
		w.b = append(w.b, out.key...)
		if out.kind == unknown && !w.column(out, nil, row) {
			return false
		}
		switch out.kind {
		case constant:
			w.b = append(w.b, out.text...)
		case edgeCursor:
			w.cursor(res, row)
		case edgeNode:
			w.path = append(w.path, out.step)
			if !w.object(out.nested, row) {
				return false
			}
			w.path = w.path[:len(w.path)-1]
		}
	}
	w.b = append(w.b, '}')
	return true
}

func (w *writer) cursor(res *result, row int) {
	w.b = append(w.b, '"')
	w.b = append(w.appendCursor(w.b, res.page.print, &res.table, row, res.cursor), '"')
}

func (w *writer) pageInfo(out *output, res *result, page window) bool {
	w.b = append(w.b, '{')
	for i := range out.fields {
		if i > 0 {
			w.b = append(w.b, ',')
		}
		field := &out.fields[i]
		w.b = append(w.b, field.key...)
		switch {
		case field.kind == unknown:
			if !w.column(field, nil, 0) {
				return false
			}
		case field.kind == constant:
			w.b = append(w.b, field.text...)
		case field.kind == hasNextPage:
			w.b = strconv.AppendBool(w.b, page.next)
		case field.kind == hasPreviousPage:
			w.b = strconv.AppendBool(w.b, page.previous)
		case len(page.rows) == 0:
			w.b = append(w.b, "null"...)
		case field.kind == startCursor:
			w.cursor(res, int(page.rows[0]))
		case field.kind == endCursor:
			w.cursor(res, int(page.rows[len(page.rows)-1]))
		}
	}
	w.b = append(w.b, '}')
	return true
}
