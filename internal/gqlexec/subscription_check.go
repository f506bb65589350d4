package gqlexec

import (
	"context"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"forge/internal/apperr"
	"forge/internal/read/binding"
	"forge/internal/read/plan"
	"forge/internal/syntax"
)

// checkSubscription is a check that a subscription has exactly one root field, and that live is
// asked as it allows. The rule of gqlparser does not count a field that is asked for twice, nor does
// it know which fields @skip and @include leave.
func checkSubscription(_ context.Context, c *checked) gqlerror.List {
	if c.Operation.Operation != ast.Subscription {
		return nil
	}
	if len(c.roots) != 1 {
		return gqlerror.List{invalid(c.Operation.Position, "a subscription has exactly one root field; this one has %d", len(c.roots))}
	}
	if c.roots[0].Name != binding.Live {
		return nil
	}
	if _, err := plan.LiveEvery(c.roots[0].ArgumentMap(c.Variables)["every"]); err != nil {
		return gqlerror.List{gqlerror.WrapPath(nil, err)}
	}
	if found := neverLive(c.Operation.SelectionSet); found != nil {
		return gqlerror.List{invalid(found.Position, "%s is not answered inside of %s: ask for it in a query", found.Name, binding.Live)}
	}
	return nil
}

func invalid(at *ast.Position, format string, args ...any) *gqlerror.Error {
	err := gqlerror.ErrorPosf(at, format, args...)
	err.Extensions = map[string]any{"code": string(apperr.CodeValidationFailed)}
	return err
}

// neverLive returns a field inside of live that no change of rows answers anew, or nil: it asks
// about the schema, or about the log of changes itself.
func neverLive(set ast.SelectionSet) (found *ast.Field) {
	w := syntax.Walker{Fragment: syntax.Definition, Visit: func(selection ast.Selection) syntax.Step {
		f, isField := selection.(*ast.Field)
		switch {
		case !isField, f.Name == binding.Live:
			return syntax.Into
		case f.Name == "__schema" || f.Name == "__type" || binding.IsOfChanges(f.Name):
			found = f
			return syntax.End
		}
		return syntax.Over // these are only valid at the root of a query
	}}
	w.Walk(set)
	return found
}
