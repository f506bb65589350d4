package plan

import (
	"encoding/json"
	"math"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
)

// Arguments are those of a field. They are looked up one by one: a map of them all would be made
// for each request.
type Arguments struct {
	Field     *ast.Field
	Variables map[string]any
}

// Value returns the value of an argument, or its default; nil if it is null or left out. The document is valid.
func (a Arguments) Value(name string) any {
	if arg := a.Field.Arguments.ForName(name); arg != nil {
		if arg.Value.Kind != ast.Variable {
			return valueOf(arg.Value, a.Variables)
		}
		if value, ok := a.Variables[arg.Value.Raw]; ok {
			return value
		}
	}
	if def := a.Field.Definition.Arguments.ForName(name); def != nil && def.DefaultValue != nil {
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

// List returns a list argument's entries: a single value stands for a list of one (GraphQL specification, section 3.11), and comes from
// a variable as a list of its own Go type.
func List(value any) []any { return graphql.CoerceList(value) }

// Int returns a value as a whole number, or false if it is none that an Int can be.
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
