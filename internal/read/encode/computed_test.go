package encode

import (
	"context"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"forge/internal/apperr"
	"forge/internal/budget"
	"forge/internal/entity"
	"forge/internal/read/plan"
)

// TestComputedErrorsWithoutRoom writes a computed field that has an error after the answer has as
// many errors as are shown: no more are made.
func TestComputedErrorsWithoutRoom(t *testing.T) {
	t.Parallel()
	made := 0
	ctx := graphql.WithResponseContext(t.Context(), func(_ context.Context, err error) *gqlerror.Error {
		made++
		return gqlerror.Wrap(err)
	}, graphql.DefaultRecover)
	w := Writer{Budget: budget.New(1 << 20)}
	w.Start(ctx, nil, nil)
	w.Computed = [][]*Computed{{{Errors: []Error{{Error: &gqlerror.Error{Err: apperr.BadInput("size", "0"), Message: "0"}}}}}}
	out := &plan.Output{Step: ast.PathName("url"), Kind: plan.OfResolver, Visible: entity.ToAll}
	for range budget.MaxErrors + 10 {
		if made < budget.MaxErrors {
			w.Budget.AddError(apperr.CodeBadUserInput) // as package gqlexec does for each error that is made
		}
		w.related(out, 0)
	}
	if made > budget.MaxErrors {
		t.Errorf("%d errors were made, %d are shown", made, budget.MaxErrors)
	}
}
