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
	"github.com/99designs/gqlgen/graphql/errcode"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/validator"

	"forge/internal/apperr"
	"forge/internal/read"
	"forge/internal/read/plan"
	"forge/internal/scalar"
	"forge/internal/syntax"
)

// variables converts and checks the variables of operations.
type variables struct{ schema *ast.Schema }

// check converts the variables as gqlparser does. Then it refuses values that gqlparser accepts and
// the specification does not: values that do not fit a type, and null where it is not allowed.
func (v variables) check(ctx context.Context, c *checked) gqlerror.List {
	if depth := valueDepth(c.request.Variables); depth > MaxNesting {
		return tooDeep(ctx, "lists and objects of variables stand inside each other", depth)
	}
	var err error
	if c.Variables, err = validator.VariableValues(v.schema, c.Operation, c.request.Variables); err != nil {
		return gqlerror.List{v.corrected(c, gqlerror.WrapIfUnwrapped(err))}
	}
	for _, def := range c.Operation.VariableDefinitions {
		if err := v.checkValue(def.Type, c.Variables[def.Variable], def.Variable); err != nil {
			return gqlerror.List{namedByArgument(c.Operation, def.Variable, err)}
		}
	}
	if err := nullIn(c.OperationContext); err != nil {
		return gqlerror.List{err}
	}
	return nil
}

// corrected corrects an error of gqlparser. It quotes a number that an Int cannot have as the
// client wrote it, and names the argument that takes the variable's value.
func (v variables) corrected(c *checked, err *gqlerror.Error) *gqlerror.Error {
	errcode.Set(err, errcode.ValidationFailed)
	if len(err.Path) < 2 || err.Path[0] != ast.PathName("variable") {
		return err
	}
	if number, ok := valueAt(c.request.Variables, err.Path[1:]).(json.Number); ok {
		switch _, wrong := scalar.UnmarshalFloat(number); {
		case strings.HasSuffix(err.Message, " as Int"):
			err.Message = notInt(string(number))
		case strings.HasSuffix(err.Message, " as Float") && wrong != nil:
			err.Message = wrong.Error()
		}
	}
	if name, ok := err.Path[1].(ast.PathName); ok {
		err.Path[1] = ast.PathName(argumentOf(c.Operation, string(name)))
	}
	return err
}

// valueAt returns the value at a path inside of another value. It returns nil if there is none.
func valueAt(value any, path ast.Path) any {
	for _, step := range path {
		switch step := step.(type) {
		case ast.PathName:
			members, _ := value.(map[string]any)
			value = members[string(step)]
		case ast.PathIndex:
			if list, ok := value.([]any); ok && int(step) < len(list) {
				value = list[step]
			}
		}
	}
	return value
}

// checkValue returns an error if a value does not fit its type. gqlparser accepts strings for
// numbers, numbers for strings, and enum values in another case, which the GraphQL specification
// does not (sections 3.5 and 3.9). gqlparser has already checked that null is allowed.
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
			if f == nil { // such as __typename, which gqlparser accepts
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

// checkList checks the entries of a list. A value that is no list stands for a list of one entry.
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

// takes reports whether a scalar accepts values of this kind. Whether it accepts the value itself
// is checked when the argument is decoded.
func takes(scalar string, value any) bool { return takesKind(scalar, kindOf(value)) }

func takesKind(scalar, kind string) bool {
	switch scalar {
	case "Int", "Float":
		return kind == "number"
	case "Boolean":
		return kind == "truth value"
	case "ID", "BigInt", "Decimal":
		return kind == "text" || kind == "number"
	case "JSON":
		return kind != "name"
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

// inWords replaces the names that Go has for kinds of values by those of JSON.
var inWords = strings.NewReplacer("slice", "list", "map", "object")

func badVariable(field, message string) *gqlerror.Error {
	return &gqlerror.Error{Message: message, Extensions: map[string]any{"code": string(apperr.CodeBadUserInput), "field": field}}
}

// valueDepth returns how deep lists and objects stand inside each other in a JSON value. The value
// itself counts.
func valueDepth(value any) (depth int) {
	switch value := value.(type) {
	case map[string]any:
		for _, member := range value {
			depth = max(depth, valueDepth(member))
		}
	case []any:
		for _, element := range value {
			depth = max(depth, valueDepth(element))
		}
	default:
		return 0
	}
	return depth + 1
}

// nullIn returns an error if a variable is null and stands where null is not allowed. A nullable
// variable may stand there if it, or the place, has a default. But the client may still not send
// null (GraphQL specification, sections 5.8.5 and 6.4.1), which gqlgen would turn into false, 0 or
// "null".
func nullIn(op *graphql.OperationContext) *gqlerror.Error {
	for _, v := range op.Variables {
		if v == nil {
			s := &nullSearch{op: op}
			w := syntax.Walker{Fragment: syntax.Definition, Visit: s.visit}
			w.Walk(op.Operation.SelectionSet)
			return s.err
		}
	}
	return nil
}

// nullSearch looks for a variable that is null where null is not allowed. It leaves out selections
// that are skipped.
type nullSearch struct {
	op  *graphql.OperationContext
	err *gqlerror.Error
}

// visit checks the arguments of a field. It ends the walk after an error was found.
func (s *nullSearch) visit(selection ast.Selection) syntax.Step {
	if s.skips(plan.DirectivesOf(selection)) {
		return syntax.Over
	}
	if f, ok := selection.(*ast.Field); ok {
		for _, argument := range f.Arguments {
			s.value(argument.Value, fmt.Sprintf("the argument %q of %q", argument.Name, f.Name), argument.Name)
		}
	}
	if s.err != nil {
		return syntax.End
	}
	return syntax.Into
}

// skips reports whether @skip or @include leave a selection out. prepare has refused variables of
// these directives that are null.
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

// value checks a value, and all values inside. place describes where the value stands, and path is
// the argument's path.
func (s *nullSearch) value(value *ast.Value, place, path string) {
	if value.Kind == ast.Variable && value.ExpectedType != nil && value.ExpectedType.NonNull {
		if v, sent := s.op.Variables[value.Raw]; sent && v == nil && s.err == nil {
			s.err = badVariable(path, fmt.Sprintf("the variable $%s is null; %s must be of type %s: leave it out or send a value",
				value.Raw, place, value.ExpectedType))
			s.err.Locations = []gqlerror.Location{{Line: value.Position.Line, Column: value.Position.Column}}
		}
	}
	if value.Definition != nil && value.Definition.Kind == ast.Scalar {
		return // a document may hold null anywhere
	}
	for i, child := range value.Children {
		step := strconv.Itoa(i)
		if child.Name != "" {
			place, step = fmt.Sprintf("%q of %s", child.Name, value.Definition.Name), child.Name
		}
		s.value(child.Value, place, path+"."+step)
	}
}

// prepare prepares an operation for the read engine. It refuses an operation in which a variable of
// @skip or @include is null. With a default, such a variable may be nullable, so that a client can
// send null (GraphQL specification, section 5.8.5).
type prepare struct{ engine *read.Engine }

func (p prepare) check(_ context.Context, c *checked) gqlerror.List {
	operation := p.engine.Prepare(c.OperationContext)
	c.roots, c.live, c.binding = operation.RootFields(), operation.LiveFields(), operation.Binding()
	for _, name := range operation.Switches() {
		if c.Variables[name] == nil {
			return gqlerror.List{badVariable(name, "the variable $"+name+" decides whether fields are answered, so it must be true or false")}
		}
	}
	return nil
}
