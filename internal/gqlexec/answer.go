package gqlexec

import (
	"cmp"
	"context"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"forge/internal/apperr"
	"forge/internal/budget"
	"forge/internal/graphqlhttp"
)

// fieldBytes is how many bytes of the answer's budget a field takes if gqlgen executes it, beside
// its name and its text. gqlgen needs several hundred bytes of memory for the field until the
// answer is written.
const fieldBytes = 64

// countField is a field middleware. It reports each error of an input by itself, and counts the
// fields that gqlgen executes, such as those of introspection, and executes none after the budget
// is exceeded. The read engine counts its own output.
func countField(ctx context.Context, next graphql.Resolver) (any, error) {
	answer := budget.FromContext(ctx)
	if !answer.Write(fieldBytes + len(graphql.GetFieldContext(ctx).Field.Alias)) {
		return nil, nil
	}
	value, err := next(ctx)
	switch text := value.(type) {
	case string:
		answer.Write(len(text))
	case *string:
		if text != nil {
			answer.Write(len(*text))
		}
	}
	return value, reportEach(ctx, err)
}

// presentSome returns the form of an error that clients see. It returns nil if the answer's budget
// has no room for the error.
func (e *executor) presentSome(ctx context.Context, err error) *gqlerror.Error {
	answer := budget.FromContext(ctx)
	if answer.Exceeded() {
		return nil // a single error will say that the answer is too large
	}
	code := apperr.CodeInternal
	if f := classify(err); f != nil {
		code = f.Code
	}
	if !answer.AddError(code) {
		return nil
	}
	shown := graphqlhttp.Shortened(e.present.error(ctx, err))
	answer.AddErrorBytes(len(shown.Message) + pathBytes(shown.Path))
	return shown
}

func pathBytes(path ast.Path) (n int) {
	for _, step := range path {
		name, _ := step.(ast.PathName)
		n += len(name) + 1
	}
	return n
}

// leftOut returns an error that says how many errors were left out for lack of budget.
func leftOut(n int, code apperr.Code) *gqlerror.Error {
	more := graphqlhttp.MoreErrors(n)
	more.Extensions = map[string]any{"code": string(cmp.Or(code, apperr.CodeInternal))}
	return more
}
