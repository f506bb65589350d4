package plan

import (
	"encoding/json"
	"math"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
)

// Arguments are the values of a connection's arguments. Those that are null or left out are nil.
type Arguments struct {
	First, Last, Offset, After, Before, OrderBy, Where any
}

// ReadArguments returns the values of a connection's arguments. The document must be valid.
func ReadArguments(f *ast.Field, variables map[string]any) (a Arguments) {
	for _, def := range f.Definition.Arguments {
		value := Argument(f, def, variables)
		switch def.Name {
		case "first":
			a.First = value
		case "last":
			a.Last = value
		case "offset":
			a.Offset = value
		case "after":
			a.After = value
		case "before":
			a.Before = value
		case "orderBy":
			a.OrderBy = value
		case "where":
			a.Where = value
		}
	}
	return a
}

// Argument returns the value of an argument, or its default. It returns nil if the value is null or
// left out. The document must be valid.
func Argument(f *ast.Field, def *ast.ArgumentDefinition, variables map[string]any) any {
	if arg := f.Arguments.ForName(def.Name); arg != nil {
		if arg.Value.Kind != ast.Variable {
			return valueOf(arg.Value, variables)
		}
		if value, ok := variables[arg.Value.Raw]; ok {
			return value
		}
	}
	if def.DefaultValue != nil {
		return valueOf(def.DefaultValue, nil)
	}
	return nil
}

func valueOf(literal *ast.Value, vars map[string]any) any {
	value, err := literal.Value(vars)
	if err != nil {
		panic(err) // a valid document has no such value
	}
	return value
}

// List returns the entries of a list argument. A single value stands for a list of one (GraphQL
// specification, section 3.11). A list from a variable may have any Go type.
func List(value any) []any { return graphql.CoerceList(value) }

// Int returns a value as a whole number. It returns false if a GraphQL Int cannot have the value.
func Int(value any) (int64, bool) {
	var n int64
	switch v := value.(type) {
	case int64:
		n = v
	case int:
		n = int64(v)
	case float64:
		n = int64(v)
		if float64(n) != v {
			return 0, false
		}
	case json.Number:
		parsed, err := v.Int64()
		if err != nil {
			return 0, false
		}
		n = parsed
	default:
		return 0, false
	}
	return n, n >= math.MinInt32 && n <= math.MaxInt32
}
