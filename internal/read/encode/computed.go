package encode

import (
	"bytes"
	"encoding/json"
	"errors"
	"strconv"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"forge/internal/apperr"
	"forge/internal/entity"
	"forge/internal/ids"
	"forge/internal/read/plan"
	"forge/internal/read/rows"
	"forge/internal/viewer"
)

// Computed is what a resolver has returned for a field of one row.
type Computed struct {
	JSON   []byte // nil if the field has no value; see Writer.Splice for the marks in it
	Errors []Error
	// Reference returns what a mark stands for.
	Reference func(n int) Reference
}

// Error is an error below a field, which is reported wherever the field is written.
type Error struct {
	Error *gqlerror.Error
	At    ast.Path // the path of the field that has the error, from the computed field
	Path  ast.Path // the path of the error itself: of the field, or of an argument of it
}

// Reference is a place in the JSON of a resolver where the engine writes entities.
type Reference interface {
	// Write appends the JSON of the entities. If it returns false, there is none.
	Write(w *Writer) bool
	// Up returns how many of the JSON values around have no value either if this one has none.
	Up() int
}

// AppendMark appends a mark to JSON: the number of a reference between two bytes that stand nowhere
// in JSON.
func AppendMark(b []byte, n int) []byte {
	return append(strconv.AppendInt(append(b, mark), int64(n), 10), mark)
}

const mark = 0

// Marks returns the numbers of the marks in JSON.
func Marks(text []byte) (numbers []int) {
	for {
		at := bytes.IndexByte(text, mark)
		if at < 0 {
			return numbers
		}
		n, end := numberAt(text, at)
		numbers, text = append(numbers, n), text[end:]
	}
}

// numberAt returns the number of the mark at a place in JSON, and where the mark ends. It panics if
// there is no whole mark, as a scalar then wrote something that is not JSON.
func numberAt(text []byte, at int) (n, end int) {
	length := bytes.IndexByte(text[at+1:], mark)
	n, err := strconv.Atoi(string(text[at+1 : at+1+max(length, 0)]))
	if err != nil {
		panic(err)
	}
	return n, at + 1 + length + 1
}

// Splice appends JSON, and what its marks stand for. Where a mark has no value, null is written, or
// the values around have none either, as Reference.Up says. Splice returns false if that leaves
// nothing of the JSON.
func (w *Writer) Splice(text []byte, reference func(n int) Reference) bool {
	s := splicer{Writer: w, text: text}
	for s.at < len(text) {
		switch c := text[s.at]; c {
		case '"':
			s.copyTo(s.afterString())
		case '{', '[':
			s.open = append(s.open, len(w.Bytes))
			s.copyTo(s.at + 1)
		case '}', ']':
			s.open = s.open[:len(s.open)-1]
			s.copyTo(s.at + 1)
		case mark:
			var n int
			n, s.at = numberAt(text, s.at)
			if !s.write(reference(n)) {
				return false
			}
		default:
			s.copyTo(s.at + 1)
		}
	}
	return true
}

// splicer is the state of Writer.Splice.
type splicer struct {
	*Writer
	text []byte
	at   int   // the place in text
	open []int // where the objects and lists around begin in Bytes
}

func (s *splicer) copyTo(end int) {
	s.Bytes = append(s.Bytes, s.text[s.at:end]...)
	s.at = end
}

// afterString returns where the string ends that begins here.
func (s *splicer) afterString() int {
	for i := s.at + 1; i < len(s.text); i++ {
		switch s.text[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(s.text)
}

// write writes a reference. It returns false if nothing of the JSON is left.
func (s *splicer) write(of Reference) bool {
	start := len(s.Bytes)
	if of.Write(s.Writer) {
		return true
	}
	up := of.Up()
	if s.stopped || up > len(s.open) || up == 0 && len(s.open) == 0 {
		return false
	}
	if up > 0 {
		start = s.open[len(s.open)-up]
		s.open = s.open[:len(s.open)-up]
	}
	s.Bytes = append(s.Bytes[:start], "null"...)
	for up > 0 { // leave out the rest of what has no value
		switch s.text[s.at] {
		case '"':
			s.at = s.afterString()
			continue
		case '{', '[':
			up++
		case '}', ']':
			up--
		}
		s.at++
	}
	return true
}

// Refer appends the JSON of entities that a resolver has referred to. The path is that of the
// field, below the writer's own. The function write appends the JSON, from results and computed
// fields of its own.
func (w *Writer) Refer(path ast.Path, results []rows.Result, computed [][]*Computed, write func() bool) bool {
	outerPath, outerResults, outerComputed := w.Path, w.Results, w.Computed
	w.Path, w.Results, w.Computed = append(w.Path[:len(w.Path):len(w.Path)], path...), results, computed
	ok := write()
	w.Path, w.Results, w.Computed = outerPath, outerResults, outerComputed
	return ok
}

// Fail reports an error of the field that is written.
func (w *Writer) Fail(f *ast.Field, err error) {
	graphql.AddError(w.at(), &gqlerror.Error{Err: err, Message: err.Error(),
		Locations: []gqlerror.Location{{Line: f.Position.Line, Column: f.Position.Column}}})
}

// Missing reports that there is no value at the place that is written, although it may not be null.
func (w *Writer) Missing() { w.missing() }

// computed appends what a resolver has returned for a row. It returns false if the field has no
// value.
func (w *Writer) computed(out *plan.Output, row int) bool {
	c := w.Computed[out.Column][row]
	for _, e := range c.Errors {
		if w.Budget.SkipError(codeOf(e.Error)) {
			continue
		}
		shown := *e.Error
		shown.Path = append(w.path(), e.Path...)
		graphql.AddError(w.at(e.At...), &shown)
	}
	return c.JSON != nil && w.Splice(c.JSON, c.Reference)
}

// codeOf returns the code with which an error is counted in the budget.
func codeOf(err *gqlerror.Error) apperr.Code {
	if known, ok := errors.AsType[*apperr.Error](err.Err); ok {
		return known.Code
	}
	return apperr.CodeInternal
}

// path returns the path of what is written.
func (w *Writer) path() ast.Path {
	ctx := w.ctx
	if w.fc != nil {
		return append(w.fc.Path(), w.Path...)
	}
	return append(graphql.GetPath(ctx), w.Path...)
}

// Sees reports whether a viewer may see the field of a row.
func Sees(v viewer.Viewer, out *plan.Output, n *plan.Node, table *rows.Table, row int) bool {
	if out.Visible == entity.ToSome {
		sees, null := table.Cell(row, out.Owner)
		return !null && (string(sees) == "true" || string(sees) == "1") // 1 on SQLite
	}
	if out.Visible == entity.ToAll || out.Visible == entity.ToNobody || v.Role == viewer.Admin {
		return out.Visible != entity.ToNobody
	}
	if out.Owner < 0 {
		return false
	}
	owner, null := table.Key(row, out.Owner, ids.UUID)
	return v.Role == viewer.User && !null && owner.UUID == v.ID
}

// Value returns a column of a row as a client would send it in an argument. It returns nil for
// NULL, and false if the value is not of the column's kind.
func Value(out *plan.Output, table *rows.Table, row int) (value any, ok bool) {
	cell, null := table.Cell(row, out.Column)
	if null {
		return nil, true
	}
	text, ok := appendColumn(out, nil, cell)
	if !ok {
		return nil, false
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	err := d.Decode(&value)
	return value, err == nil
}
