package gqlexec

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"forge/internal/apperr"
	"forge/internal/read"
)

// switches refuses an operation in which a variable of @skip or @include has no value. A default
// makes the type of such a variable valid, but a client may still send null (GraphQL specification,
// section 5.8.5).
type switches struct{ engine *read.Engine }

func (s switches) check(_ context.Context, op *graphql.OperationContext) *gqlerror.Error {
	for _, name := range s.engine.Switches(op) {
		if op.Variables[name] == nil {
			return badVariable(name, "the variable $"+name+" decides whether fields are answered, so it must be true or false")
		}
	}
	return nil
}

// variables refuses values that the specification does not allow for a variable's type, and that
// gqlparser accepts: strings for numbers, numbers for strings, enum values in another case (GraphQL
// specification, sections 3.5 and 3.9).
type variables struct{ schema *ast.Schema }

func (v variables) check(_ context.Context, op *graphql.OperationContext) *gqlerror.Error {
	for _, def := range op.Operation.VariableDefinitions {
		if err := v.checkValue(def.Type, op.Variables[def.Variable], def.Variable); err != nil {
			return namedByArgument(op.Operation, def.Variable, err)
		}
	}
	return nil
}

// checkValue compares a value with its type. gqlparser has already checked that null is allowed.
func (v variables) checkValue(t *ast.Type, value any, path string) *gqlerror.Error {
	if value == nil {
		return nil
	}
	if t.Elem != nil {
		return v.checkList(t.Elem, value, path)
	}
	def := v.schema.Types[t.NamedType]
	switch def.Kind {
	case ast.InputObject:
		fields, _ := value.(map[string]any)
		for _, name := range slices.Sorted(maps.Keys(fields)) {
			f := def.Fields.ForName(name)
			if f == nil { // gqlparser accepts __typename
				return badVariable(path+"."+name, def.Name+" has no field of this name")
			}
			if err := v.checkValue(f.Type, fields[name], path+"."+name); err != nil {
				return err
			}
		}
	case ast.Enum:
		if text, ok := value.(string); !ok || def.EnumValues.ForName(text) == nil {
			return badVariable(path, "this is not one of the values of "+def.Name)
		}
	case ast.Scalar:
		if !takes(def.Name, value) {
			return badVariable(path, "this is a "+kindOf(value)+"; "+def.Name+" is wanted")
		}
		if def.Name == "ID" && kindOf(value) == "number" && strings.ContainsAny(fmt.Sprint(value), ".eE") {
			return badVariable(path, "this is a number with a fraction; ID is wanted, a text or a whole number")
		}
		if def.Name == "Int" && !isInt(fmt.Sprint(value)) {
			return badVariable(path, notInt(fmt.Sprint(value)))
		}
	}
	return nil
}

// checkList checks the entries of a list. A single value stands for a list of one.
func (v variables) checkList(t *ast.Type, value any, path string) *gqlerror.Error {
	list := reflect.ValueOf(value)
	if list.Kind() != reflect.Slice {
		return v.checkValue(t, value, path)
	}
	for i := range list.Len() {
		if err := v.checkValue(t, list.Index(i).Interface(), path+"."+strconv.Itoa(i)); err != nil {
			return err
		}
	}
	return nil
}

// takes reports whether a scalar accepts a value of this kind. The scalar itself checks the value.
func takes(scalar string, value any) bool { return takesKind(scalar, kindOf(value)) }

func takesKind(scalar, kind string) bool {
	switch scalar {
	case "Int", "Float":
		return kind == "number"
	case "Boolean":
		return kind == "truth value"
	case "ID":
		return kind == "text" || kind == "number"
	default:
		return kind == "text"
	}
}

func kindOf(value any) string {
	switch value.(type) {
	case json.Number, int, int64, float64:
		return "number"
	case string:
		return "text"
	case bool:
		return "truth value"
	}
	return "list or an object"
}

// inWords replaces the names of Go's types by those of JSON.
var inWords = strings.NewReplacer("slice", "list", "map", "object")

func badVariable(field, message string) *gqlerror.Error {
	return &gqlerror.Error{Message: message, Extensions: map[string]any{"code": string(apperr.CodeBadUserInput), "field": field}}
}
