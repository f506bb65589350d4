package plan

import (
	"encoding/json"
	"math"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
)

// Arguments are the arguments of a field. They are looked up one by one, as a map of them would
// have to be made for each request.
type Arguments struct {
	Field     *ast.Field
	Variables map[string]any
}

// Value returns the value of an argument, or its default. It returns nil if the value is null or
// left out. The document must be valid.
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
