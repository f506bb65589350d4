package gqlexec

import (
	"github.com/vektah/gqlparser/v2/ast"

	"forge/internal/read"
)

// These are the bytes of memory that parts of a document take, measured on documents of several
// kinds.
const (
	nodeBytes      = 320     // a parsed field, fragment, directive, argument, value or variable
	planBytes      = 384     // a compiled field, counted at each spread of its fragment
	operationBytes = 3 << 10 // an operation, without its fields
)

// weightOf returns how many bytes a valid document takes besides its text, rounded up, after each
// of its operations was compiled for all values of the variables in @skip and @include.
func weightOf(doc *ast.QueryDocument) int {
	w := weight{switches: map[string]bool{}}
	w.sum.parts = &w
	for _, fragment := range doc.Fragments {
		w.nodes++
		w.directives(fragment.Directives)
	}
	fields := 0
	for _, op := range doc.Operations {
		for _, v := range op.VariableDefinitions {
			w.nodes++
			w.value(v.DefaultValue)
			w.directives(v.Directives)
		}
		w.directives(op.Directives)
		fields = plus(fields, w.sum.of(op.SelectionSet))
	}
	compiled := times(fields, planBytes*min(1<<min(len(w.switches), 10), read.MaxStates))
	return plus(w.nodes*nodeBytes+len(doc.Operations)*operationBytes, compiled)
}

// weight counts the parts of a document.
type weight struct {
	nodes    int
	switches map[string]bool // the variables in arguments of directives
	sum      sum[int]        // how many fields the selections stand for
}

// part counts a selection, and returns how many fields it stands for. Fields of fragments are added
// by sum.
func (w *weight) part(selection ast.Selection) (fields int) {
	w.nodes++
	switch s := selection.(type) {
	case *ast.Field:
		w.arguments(s.Arguments)
		w.directives(s.Directives)
		return plus(1, w.sum.of(s.SelectionSet))
	case *ast.InlineFragment:
		w.directives(s.Directives)
	case *ast.FragmentSpread:
		w.directives(s.Directives)
	}
	return 0
}

func (w *weight) add(a, b int) int { return plus(a, b) }

func (w *weight) directives(list ast.DirectiveList) {
	for _, d := range list {
		w.nodes++
		w.arguments(d.Arguments)
		for _, a := range d.Arguments {
			if a.Value.Kind == ast.Variable {
				w.switches[a.Value.Raw] = true
			}
		}
	}
}

func (w *weight) arguments(list ast.ArgumentList) {
	for _, a := range list {
		w.nodes++
		w.value(a.Value)
	}
}

func (w *weight) value(v *ast.Value) {
	if v == nil {
		return
	}
	w.nodes++
	for _, child := range v.Children {
		w.value(child.Value)
	}
}
