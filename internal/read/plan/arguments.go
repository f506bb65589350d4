package plan

import (
	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"forge/internal/scalar"
)

// DefaultPage is the size of a page without first and last. MaxPage is the largest size.
const (
	DefaultPage = 20
	MaxPage     = 100
)

// MaxGroups is how many groups a field has at most. Without first it has DefaultPage.
const MaxGroups = 1000

// Arguments are the values of a connection's arguments. The value of an argument that is null or
// left out is nil; see Number.Given for numbers.
type Arguments struct {
	First, Last, Offset                   Number
	After, Before, OrderBy, Where, Search any
	Deleted                               bool
}

// Number is the value of an argument of type Int.
type Number struct {
	Given any   // the value as it was given; nil if it is null or left out
	Int   int64 // the value as a number; 0 if it is not valid
	Valid bool  // the value is one that a GraphQL Int can have
}

// ReadArguments returns the values of a connection's arguments. The document must be validated.
func ReadArguments(f *ast.Field, variables map[string]any) (a Arguments) {
	for _, def := range f.Definition.Arguments {
		value := Argument(f, def, variables)
		switch def.Name {
		case "first":
			a.First = NumberOf(value)
		case "last":
			a.Last = NumberOf(value)
		case "offset":
			a.Offset = NumberOf(value)
		case "after":
			a.After = value
		case "before":
			a.Before = value
		case "orderBy":
			a.OrderBy = value
		case "where":
			a.Where = value
		case "search":
			a.Search = value
		case "deleted":
			a.Deleted = value == true
		}
	}
	return a
}

// Entries returns how many entries the page has at most.
func (a *Arguments) Entries() int {
	asked := int64(-1)
	for _, n := range []Number{a.First, a.Last} {
		if n.Valid {
			asked = max(asked, n.Int)
		}
	}
	if asked < 0 {
		return DefaultPage
	}
	return int(min(asked, MaxPage))
}

// Argument returns the value of an argument: the given one, the default, or nil if the value is
// null or left out without a default. The document must be validated.
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
		panic(err) // only a document that is not valid has such a value
	}
	return value
}

// List returns the entries of a list argument. A single value becomes a list of one entry (GraphQL
// specification, section 3.11). The value may be a slice of any Go type, as variables bring.
func List(value any) []any { return graphql.CoerceList(value) }

// NumberOf returns the value of an argument of type Int.
func NumberOf(value any) Number {
	n, ok := scalar.Int(value)
	return Number{value, n, ok}
}
