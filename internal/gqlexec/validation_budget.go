package gqlexec

import (
	"context"
	"time"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/validator/core"

	"forge/internal/apperr"
)

// maxSteps is how many steps the validation of one document may take. Documents that people write
// need a few thousand. A step takes less than a microsecond, and a few hundred bytes.
const maxSteps = 100_000

// maxValidation is how long the validation of one document may take. Unless the processors are
// busy, maxSteps take far less.
const maxValidation = 2 * time.Second

// stepsPerLook is how many steps pass before the clock and the context are looked at again.
const stepsPerLook = 1000

// stepBudget holds the number of steps that the validation of one document may still take.
// gqlparser's rules have no limits and take no context. So a rule that exceeds the budget panics,
// and spending recovers.
type stepBudget struct {
	ctx      context.Context
	deadline time.Time
	left     int
	next     int // how many steps are left when the clock is looked at next
}

func newStepBudget(ctx context.Context) *stepBudget {
	return &stepBudget{ctx: ctx, deadline: time.Now().Add(maxValidation), left: maxSteps, next: maxSteps}
}

// exhausted is the value that spend panics with.
type exhausted struct{ why *gqlerror.Error }

// spend takes steps off the budget. It panics if too few are left, the time is up, or the context
// has ended.
func (b *stepBudget) spend(steps int) {
	if b.left -= min(steps, maxSteps+1); b.left < 0 {
		panic(exhausted{tooManySteps()})
	}
	if b.left > b.next {
		return
	}
	b.next = b.left - stepsPerLook
	switch {
	case b.ctx.Err() != nil:
		panic(exhausted{timedOut("the request was given up before it was answered")})
	case time.Now().After(b.deadline):
		panic(exhausted{timedOut("the server had no time to validate the document; try again")})
	}
}

// spending runs a part of the validation. It returns an error if the budget stopped that part, and
// otherwise nil.
func spending(work func()) (stopped *gqlerror.Error) {
	defer func() {
		switch panicked := recover().(type) {
		case nil:
		case exhausted:
			stopped = panicked.why
		default:
			panic(panicked)
		}
	}()
	work()
	return nil
}

func tooManySteps() *gqlerror.Error {
	err := tooMuch(apperr.CodeTooComplex, "", maxSteps, maxSteps+1)
	err.Message = "the document takes too long to validate: it has too many operations, fragments " +
		"that are spread, or values; send fewer of them at once"
	return err
}

func timedOut(message string) *gqlerror.Error {
	return &gqlerror.Error{Message: message, Extensions: map[string]any{"code": string(apperr.CodeTimeout)}}
}

// pay is a rule that runs before the others and reports nothing. For each part of a document, it
// takes from the budget the steps that gqlparser's walk and the other rules need for the part.
func (b *stepBudget) pay(events *core.Events, _ core.AddErrFunc) {
	events.OnOperation(func(*core.Walker, *ast.OperationDefinition) { b.spend(1) })
	events.OnFragment(func(*core.Walker, *ast.FragmentDefinition) { b.spend(1) })
	events.OnVariable(func(*core.Walker, *ast.VariableDefinition) { b.spend(1) })
	events.OnDirective(func(*core.Walker, *ast.Directive) { b.spend(1) })
	events.OnField(func(_ *core.Walker, f *ast.Field) { b.spend(1 + len(f.Arguments)/8) })
	events.OnInlineFragment(func(w *core.Walker, f *ast.InlineFragment) {
		b.spend(1 + overlapSteps(w.Schema, f.ObjectDefinition, f.TypeCondition))
	})
	events.OnFragmentSpread(func(w *core.Walker, f *ast.FragmentSpread) {
		steps := 1 + len(w.Document.Fragments)/16 // gqlparser searches all for the one
		if f.Definition != nil {
			steps += overlapSteps(w.Schema, f.ObjectDefinition, f.Definition.TypeCondition)
		}
		b.spend(steps)
	})
	events.OnValue(func(_ *core.Walker, value *ast.Value) { b.spend(valueSteps(value)) })
}

// overlapSteps returns the number of steps to compare each type that an object may have with each
// type that a fragment applies to.
func overlapSteps(schema *ast.Schema, object *ast.Definition, condition string) int {
	if object == nil {
		return 0
	}
	return len(schema.PossibleTypes[object.Name]) * len(schema.PossibleTypes[condition]) / 16
}

// valueSteps returns the number of steps to check one value. gqlparser makes a Go value of it, with
// all lists and objects inside, and encodes values that have errors.
func valueSteps(value *ast.Value) int {
	steps := 1
	switch {
	case value.Kind == ast.Variable && value.VariableDefinition != nil:
		steps += typeSteps(value.VariableDefinition.Type)
	case value.Kind == ast.ObjectValue && value.Definition != nil:
		steps += len(value.Children) * len(value.Definition.Fields) / 16
	case value.Definition != nil && value.Definition.Kind == ast.Enum:
		steps += len(value.Definition.EnumValues) / 2
	}
	nodes, written, copied := writtenSize(value)
	return steps + nodes + written/64 + copied/128
}

// writtenSize returns the number of values in a value, the length of their text, and how many bytes
// are copied when each list and object is put together from its elements.
func writtenSize(value *ast.Value) (nodes, written, copied int) {
	nodes, written = 1, len(value.Raw)
	for _, child := range value.Children {
		n, w, c := writtenSize(child.Value)
		nodes, written, copied = nodes+n, written+len(child.Name)+w, copied+c
	}
	if len(value.Children) > 0 {
		copied += written
	}
	return nodes, written, copied
}

// typeSteps returns the number of steps to write the type of a variable, list by list.
func typeSteps(t *ast.Type) int {
	depth := 0
	for ; t.Elem != nil; t = t.Elem {
		depth++
	}
	return depth * (depth + len(t.NamedType)) / 64
}
