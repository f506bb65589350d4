package gqlexec

import (
	"context"
	"reflect"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"forge/internal/apperr"
	"forge/internal/graphqlhttp"
	"forge/internal/telemetry"
)

// bytesAValue is the number of bytes of a text that count as one value.
const bytesAValue = 100

// checkArgumentCount refuses operations with more values in their arguments than variables may
// have. It counts the values of a variable for each use, because each use is decoded anew: a
// variable of a megabyte that stands in a thousand places would take a gigabyte.
func checkArgumentCount(ctx context.Context, op *graphql.OperationContext) *gqlerror.Error {
	c := &valueCount{variables: map[string]int{}}
	c.sum.parts = c
	for name, value := range op.Variables {
		c.variables[name] = valuesOf(value)
	}
	n := c.sum.of(op.Operation.SelectionSet)
	if n <= graphqlhttp.MaxValues {
		return nil
	}
	telemetry.FromContext(ctx).Refuse(telemetry.Cost)
	return tooMuch(apperr.CodeTooComplex, "values in the arguments of all fields, or as much text", graphqlhttp.MaxValues, n)
}

// valueCount counts the values in the arguments of selections.
type valueCount struct {
	variables map[string]int // the values in each
	sum       sum[int]
}

// part returns the number of values in a field and in those below it.
func (c *valueCount) part(selection ast.Selection) (n int) {
	if f, ok := selection.(*ast.Field); ok {
		for _, a := range f.Arguments {
			n = plus(n, c.value(a.Value))
		}
		n = plus(n, c.sum.of(f.SelectionSet))
	}
	return n
}

func (c *valueCount) add(a, b int) int { return plus(a, b) }

func (c *valueCount) value(value *ast.Value) (n int) {
	if value.Kind == ast.Variable {
		return c.variables[value.Raw]
	}
	n = 1 + len(value.Raw)/bytesAValue
	for _, child := range value.Children {
		n = plus(n, c.value(child.Value))
	}
	return n
}

// valuesOf counts the values in the value of a variable. gqlparser makes a list of a Go type of its
// own where one value stands for a list of one.
func valuesOf(value any) (n int) {
	n = 1
	switch value := value.(type) {
	case nil:
	case string:
		n += len(value) / bytesAValue
	case map[string]any:
		for _, member := range value {
			n = plus(n, valuesOf(member))
		}
	default:
		if list := reflect.ValueOf(value); list.Kind() == reflect.Slice {
			for i := range list.Len() {
				n = plus(n, valuesOf(list.Index(i).Interface()))
			}
		}
	}
	return n
}
