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

// missing reports that a field has no value although it may not be null.
func (w *Writer) missing(path ...ast.PathElement) {
	if w.Budget.SkipError(apperr.CodeInternal) {
		return
	}
	graphql.AddErrorf(w.at(path...), "must not be null")
}

// refuse reports that an argument of the field being written is not valid.
func (w *Writer) refuse(out *plan.Output, err *apperr.Error) {
	if w.Budget.SkipError(err.Code) {
		return
	}
	graphql.AddError(w.at(), &gqlerror.Error{Err: err, Message: err.Message,
		Locations: []gqlerror.Location{{Line: out.At.Line, Column: out.At.Column}}})
}

// at returns the context of the field at the path. gqlgen takes the path of an error from its
// context.
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

// hide appends null for a field that the viewer may not see, and reports an error for it.
func (w *Writer) hide(out *plan.Output) {
	w.Bytes = append(w.Bytes, "null"...)
	if w.Budget.SkipError(apperr.CodeForbidden) {
		return
	}
	err := apperr.Forbidden("", "you may not see this")
	graphql.AddError(w.at(out.Step), &gqlerror.Error{Err: err, Message: err.Message,
		Locations: []gqlerror.Location{{Line: out.At.Line, Column: out.At.Column}}})
}

// unwritable appends null for a field that cannot be written, and reports an error that says why.
// Clients see it as an internal error. It returns false if the field may not be null.
func (w *Writer) unwritable(out *plan.Output, why string) bool {
	graphql.AddError(w.at(out.Step), &gqlerror.Error{Err: errors.New("read: " + why),
		Locations: []gqlerror.Location{{Line: out.At.Line, Column: out.At.Column}}})
	w.Bytes = append(w.Bytes, "null"...)
	return !out.NonNull
}
