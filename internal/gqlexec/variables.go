package gqlexec

import (
	"context"
	"encoding/json"
	"strconv"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/validator"

	"forge/internal/apperr"
	"forge/internal/read"
	"forge/internal/read/plan"
	"forge/internal/syntax"
)

// variables converts and checks the variables of operations.
type variables struct {
	schema *ast.Schema
	hints  bool // errors name the values of enums
}

// check checks the variables, and converts them as gqlparser does. It returns all errors in their
// values, up to apperr.MaxErrors.
func (v variables) check(ctx context.Context, c *checked) gqlerror.List {
	if depth := valueDepth(c.request.Variables); depth > MaxNesting {
		return tooDeep(ctx, "lists and objects of variables stand inside each other", depth)
	}
	f := valueFaults{variables: v}
	for _, def := range c.Operation.VariableDefinitions {
		f.checkVariable(c.Operation, def, c.request.Variables)
	}
	if f.errs.Len() > 0 {
		return asList(&f.errs)
	}
	var err error
	if c.Variables, err = validator.VariableValues(v.schema, c.Operation, c.request.Variables); err != nil {
		return gqlerror.List{gqlerror.WrapIfUnwrapped(apperr.BadInput("", "%s", gqlerror.WrapIfUnwrapped(err).Message))}
	}
	return asList(nullIn(c.OperationContext))
}

// asList returns the errors as the errors of a request.
func asList(errs *apperr.Errors) (list gqlerror.List) {
	for _, err := range errs.List() {
		list = append(list, gqlerror.WrapIfUnwrapped(err))
	}
	return list
}

// takesKind reports whether a scalar accepts values of a kind. Whether it accepts the value itself
// is checked when the argument is decoded.
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

// nullIn returns errors about variables that are null and stand where null is not allowed. A
// nullable variable may stand there if it, or the place, has a default. But the client may still
// not send null (GraphQL specification, sections 5.8.5 and 6.4.1), which gqlgen would turn into
// false, 0 or "null".
func nullIn(op *graphql.OperationContext) *apperr.Errors {
	s := &nullSearch{op: op}
	for _, v := range op.Variables {
		if v == nil {
			w := syntax.Walker{Fragment: syntax.Definition, Visit: s.visit}
			w.Walk(op.Operation.SelectionSet)
			break
		}
	}
	return &s.errs
}

// nullSearch looks for variables that are null where null is not allowed. It leaves out selections
// that are skipped.
type nullSearch struct {
	op   *graphql.OperationContext
	errs apperr.Errors
}

// visit checks the arguments of a field.
func (s *nullSearch) visit(selection ast.Selection) syntax.Step {
	if s.skips(plan.DirectivesOf(selection)) {
		return syntax.Over
	}
	if f, ok := selection.(*ast.Field); ok {
		for _, argument := range f.Arguments {
			s.value(argument.Value, argument.Name)
		}
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

// value checks a value, and all values inside. path is the argument's path.
func (s *nullSearch) value(value *ast.Value, path string) {
	if value.Kind == ast.Variable && value.ExpectedType != nil && value.ExpectedType.NonNull {
		if v, sent := s.op.Variables[value.Raw]; sent && v == nil {
			s.errs.Add(apperr.BadInput(path, "%s cannot be null; leave it out or send a value", last(path)))
		}
	}
	if value.Definition != nil && value.Definition.Kind == ast.Scalar {
		return // a document may hold null anywhere
	}
	for i, child := range value.Children {
		step := strconv.Itoa(i)
		if child.Name != "" {
			step = child.Name
		}
		s.value(child.Value, path+"."+step)
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
			return gqlerror.List{gqlerror.WrapIfUnwrapped(
				apperr.BadInput(name, "the variable $%s decides whether fields are answered, so it must be true or false", name))}
		}
	}
	return nil
}
