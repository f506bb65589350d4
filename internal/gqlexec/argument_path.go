package gqlexec

import (
	"strconv"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// argumentOf returns the path of the first argument in an operation that takes its value from a variable: input for $in, where it
// says createHero(input: $in). Errors name arguments, whatever a client calls its variables. If there is no such argument it
// returns the variable's name.
func argumentOf(op *ast.OperationDefinition, variable string) string {
	if op == nil {
		return variable
	}
	s := &variableSearch{name: variable, seen: map[string]bool{}}
	if path, ok := s.selections(op.SelectionSet); ok {
		return path
	}
	return variable
}

// namedByArgument returns an error about a variable as one about the argument that takes it.
func namedByArgument(op *ast.OperationDefinition, variable string, err *gqlerror.Error) *gqlerror.Error {
	field, _ := err.Extensions["field"].(string)
	if below, ok := strings.CutPrefix(field, variable); ok {
		err.Extensions["field"] = argumentOf(op, variable) + below
	}
	return err
}

// variableSearch looks for a variable. It enters each fragment once.
type variableSearch struct {
	name string
	seen map[string]bool
}

func (s *variableSearch) selections(set ast.SelectionSet) (path string, ok bool) {
	for _, selection := range set {
		switch selection := selection.(type) {
		case *ast.Field:
			for _, argument := range selection.Arguments {
				if path, ok := s.value(argument.Value, argument.Name); ok {
					return path, true
				}
			}
			path, ok = s.selections(selection.SelectionSet)
		case *ast.InlineFragment:
			path, ok = s.selections(selection.SelectionSet)
		case *ast.FragmentSpread:
			if selection.Definition != nil && !s.seen[selection.Name] {
				s.seen[selection.Name] = true
				path, ok = s.selections(selection.Definition.SelectionSet)
			}
		}
		if ok {
			return path, true
		}
	}
	return "", false
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
