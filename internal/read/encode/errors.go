package encode

import (
	"context"
	"errors"
	"slices"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"forge/internal/apperr"
	"forge/internal/read/plan"
)

// missing reports a field that has no value and may not be null.
func (w *Writer) missing(path ...ast.PathElement) {
	if w.Budget.SkipError(apperr.CodeInternal) {
		return
	}
	graphql.AddErrorf(w.at(path...), "must not be null")
}

// refuse reports an error in the arguments of the field that is being written.
func (w *Writer) refuse(out *plan.Output, err *apperr.Error) {
	if w.Budget.SkipError(err.Code) {
		return
	}
	graphql.AddError(w.at(), &gqlerror.Error{Err: err, Message: err.Message,
		Locations: []gqlerror.Location{{Line: out.At.Line, Column: out.At.Column}}})
}

// at returns the context of the field at the path. Errors take their path from it, as from gqlgen's
// own.
func (w *Writer) at(path ...ast.PathElement) context.Context {
	ctx := w.ctx
	if w.fc != nil {
		ctx = graphql.WithFieldContext(ctx, w.fc)
	}
	for _, step := range slices.Concat(w.Path, path) {
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

// hide writes null for a field that the viewer may not see, and reports that.
func (w *Writer) hide(out *plan.Output) {
	w.Bytes = append(w.Bytes, "null"...)
	if w.Budget.SkipError(apperr.CodeForbidden) {
		return
	}
	err := apperr.Forbidden("", "you may not see this")
	graphql.AddError(w.at(out.Step), &gqlerror.Error{Err: err, Message: err.Message,
		Locations: []gqlerror.Location{{Line: out.At.Line, Column: out.At.Column}}})
}

// unwritable writes null for a field that cannot be written, and logs why.
func (w *Writer) unwritable(out *plan.Output, why string) bool {
	graphql.AddError(w.at(out.Step), &gqlerror.Error{Err: errors.New("read: " + why),
		Locations: []gqlerror.Location{{Line: out.At.Line, Column: out.At.Column}}})
	w.Bytes = append(w.Bytes, "null"...)
	return !out.NonNull
}
