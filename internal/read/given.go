package read

import "github.com/vektah/gqlparser/v2/ast"

// given is the arguments of a field, looked up one by one: a map of them all would be made for each request.
type given struct {
	field *ast.Field
	vars  map[string]any
}

// value returns the value of an argument, or its default; nil if it is null or left out. The document is valid.
func (g given) value(name string) any {
	if arg := g.field.Arguments.ForName(name); arg != nil {
		if arg.Value.Kind != ast.Variable {
			return valueOf(arg.Value, g.vars)
		}
		if value, ok := g.vars[arg.Value.Raw]; ok {
			return value
		}
	}
	if def := g.field.Definition.Arguments.ForName(name); def != nil && def.DefaultValue != nil {
		return valueOf(def.DefaultValue, nil)
	}
	return nil
}

func valueOf(literal *ast.Value, vars map[string]any) any {
	value, err := literal.Value(vars)
	if err != nil {
		panic(err) // of what validation lets through, nothing
	}
	return value
}
