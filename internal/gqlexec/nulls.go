package gqlexec

import (
	"context"
	"fmt"
	"strconv"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// checkNulls refuses an operation in which a variable is null where null is not allowed. If the
// variable, or the place where it stands, has a default, its type may be nullable; the client may
// still not send null (GraphQL specification, sections 5.8.5 and 6.4.1). gqlgen would turn null
// into false, 0 or "null".
func checkNulls(_ context.Context, op *graphql.OperationContext) *gqlerror.Error {
	for _, v := range op.Variables {
		if v == nil {
			s := &nullSearch{op: op}
			(&fieldVisit{visit: s.field, skips: s.skips}).fields(op.Operation.SelectionSet)
			return s.err
		}
	}
	return nil
}

// nullSearch looks for a variable that is null where null is not allowed, among the selections that
// are not skipped.
type nullSearch struct {
	op  *graphql.OperationContext
	err *gqlerror.Error
}

// field looks at the arguments of a field. It returns false once there is an error.
func (s *nullSearch) field(f *ast.Field) bool {
	for _, argument := range f.Arguments {
		s.value(argument.Value, fmt.Sprintf("the argument %q of %q", argument.Name, f.Name), argument.Name)
	}
	return s.err == nil
}

// skips reports whether @skip or @include leave a selection out. A variable of theirs that is null
// is refused by switches.
func (s *nullSearch) skips(directives ast.DirectiveList) bool {
	for _, directive := range directives {
		condition := directive.Arguments.ForName("if")
		if condition == nil {
			continue
		}
		on, _ := condition.Value.Value(s.op.Variables)
		if on == (directive.Name == "skip") {
			return true
		}
	}
	return false
}

// value looks at a value, and into it. place describes where it stands, and path is that of the
// argument.
func (s *nullSearch) value(value *ast.Value, place, path string) {
	if value.Kind == ast.Variable && value.ExpectedType.NonNull {
		if v, sent := s.op.Variables[value.Raw]; sent && v == nil && s.err == nil {
			s.err = badVariable(path, fmt.Sprintf("the variable $%s is null; %s must be of type %s: leave it out or send a value",
				value.Raw, place, value.ExpectedType))
			s.err.Locations = []gqlerror.Location{{Line: value.Position.Line, Column: value.Position.Column}}
		}
	}
	for i, child := range value.Children {
		step := strconv.Itoa(i)
		if child.Name != "" {
			place, step = fmt.Sprintf("%q of %s", child.Name, value.Definition.Name), child.Name
		}
		s.value(child.Value, place, path+"."+step)
	}
}
