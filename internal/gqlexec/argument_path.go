package gqlexec

import (
	"cmp"
	"strconv"

	"github.com/vektah/gqlparser/v2/ast"

	"forge/internal/syntax"
)

// argumentOf returns the path of the first argument that takes its value from a variable: input for
// $in in createThing(input: $in). Errors name arguments, because clients choose the names of
// variables. If no argument uses the variable, argumentOf returns the variable's name.
func argumentOf(op *ast.OperationDefinition, variable string) string {
	if op == nil {
		return variable
	}
	s := &variableSearch{name: variable}
	w := syntax.Walker{Fragment: syntax.Definition, Visit: s.visit}
	w.Walk(op.SelectionSet)
	return cmp.Or(s.path, variable)
}

// variableSearch looks for the argument that takes its value from a variable.
type variableSearch struct {
	name string
	path string // the argument's path; "" until it is found
}

// visit looks for the variable in the arguments of a field. It ends the walk when it has found the
// variable.
func (s *variableSearch) visit(selection ast.Selection) syntax.Step {
	if f, ok := selection.(*ast.Field); ok {
		for _, argument := range f.Arguments {
			if path, ok := s.value(argument.Value, argument.Name); ok {
				s.path = path
				return syntax.End
			}
		}
	}
	return syntax.Into
}

func (s *variableSearch) value(v *ast.Value, at string) (path string, ok bool) {
	if v == nil || v.Kind == ast.Variable {
		return at, v != nil && v.Raw == s.name
	}
	for i, child := range v.Children {
		name := child.Name
		if v.Kind == ast.ListValue {
			name = strconv.Itoa(i)
		}
		if path, ok := s.value(child.Value, at+"."+name); ok {
			return path, true
		}
	}
	return "", false
}
