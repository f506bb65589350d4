package encode

import (
	"strconv"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"forge/internal/apperr"
	"forge/internal/read/binding"
	"forge/internal/read/kind"
	"forge/internal/read/plan"
)

// totals returns the row with the aggregates for a row of the parent node. It returns -1 if no rows
// match and there is none.
func (w *Writer) totals(c *plan.Connection, parent int) int {
	if found := w.Results[c.Totals.Index].Rows(parent); len(found) > 0 {
		return int(found[0])
	}
	return -1
}

// count returns how many rows match for a row of the parent node. The field is the index of the
// connection's field.
func (w *Writer) count(c *plan.Connection, field, parent int) (n int64) {
	for i := range 1 + len(c.Others) {
		part := c.Part(i)
		if row := w.totals(part, parent); row >= 0 {
			cell, _ := w.Results[part.Totals.Index].Table.Cell(row, part.Fields[field].Column)
			count, _ := strconv.ParseInt(string(cell), 10, 64)
			n += count
		}
	}
	return n
}

// groups appends the groups that belong to a row of the parent node. It returns false if an
// argument is not valid, or if one of them has no value.
func (w *Writer) groups(out *plan.Output, parent int) bool {
	res := &w.Results[out.Nested.Node.Index]
	if res.Fault != nil {
		w.refuse(out, res.Fault)
		return false
	}
	return w.objects(out.Nested, res.Rows(parent))
}

// ofNone appends an aggregate over no rows.
func (w *Writer) ofNone(out *plan.Output, n *plan.Node) bool {
	switch n.Columns[out.Column].Measure.Function {
	case kind.Count, kind.CountDistinct:
		w.Bytes = append(w.Bytes, '0')
	default:
		w.Bytes = append(w.Bytes, "null"...)
	}
	return true
}

// faulty appends null for a field that has an error which the client may read. It returns false if
// the field may not be null.
func (w *Writer) faulty(out *plan.Output, err *apperr.Error) bool {
	w.Bytes = append(w.Bytes, "null"...)
	if !w.Budget.SkipError(err.Code) {
		graphql.AddError(w.at(out.Step), &gqlerror.Error{Err: err, Message: err.Message,
			Locations: []gqlerror.Location{{Line: out.At.Line, Column: out.At.Column}}})
	}
	return !out.NonNull
}

// tooLarge returns the error of a result that its type cannot hold.
func tooLarge(m *binding.Measure, out *plan.Output) *apperr.Error {
	scalar := "its type"
	if k, ok := kind.Of(out.Shows.Kind); ok {
		scalar = "a " + k.Scalar(out.Shows)
	}
	return apperr.BadInput("where", "the %s is no number that %s can hold; ask for it of fewer rows", m.Function, scalar)
}
