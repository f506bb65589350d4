package syntax

import "github.com/vektah/gqlparser/v2/ast"

// Step says where a walk goes on from a selection.
type Step int

// The steps.
const (
	Into Step = iota // to what is selected inside it, and then to the next one
	Over             // to the next one
	End              // nowhere
)

// Walker visits selections, each before those inside it, in the order of the document.
type Walker struct {
	// Visit is called for each selection, and says where to go on.
	Visit func(ast.Selection) Step
	// Fragment returns what a spread stands for. The walker goes into each fragment once, also over
	// several walks. If Fragment is nil, it goes into no fragment.
	Fragment func(*ast.FragmentSpread) *ast.FragmentDefinition

	seen map[string]bool // fragments, by name
}

// Definition is a Fragment for valid documents, whose spreads hold their definitions.
func Definition(s *ast.FragmentSpread) *ast.FragmentDefinition { return s.Definition }

// Walk visits the selections of a set. It returns false if Visit has ended the walk.
func (w *Walker) Walk(set ast.SelectionSet) bool {
	for _, selection := range set {
		switch w.Visit(selection) {
		case End:
			return false
		case Into:
			if !w.Walk(w.inside(selection)) {
				return false
			}
		}
	}
	return true
}

// inside returns what is selected inside a selection.
func (w *Walker) inside(selection ast.Selection) ast.SelectionSet {
	switch s := selection.(type) {
	case *ast.Field:
		return s.SelectionSet
	case *ast.InlineFragment:
		return s.SelectionSet
	case *ast.FragmentSpread:
		if w.Fragment == nil || w.seen[s.Name] {
			return nil
		}
		if w.seen == nil {
			w.seen = map[string]bool{}
		}
		w.seen[s.Name] = true
		if f := w.Fragment(s); f != nil {
			return f.SelectionSet
		}
	}
	return nil
}
