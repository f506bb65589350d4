package syntax

import "github.com/vektah/gqlparser/v2/ast"

// Step says how a walk goes on after a selection.
type Step int

// These are the steps.
const (
	Into Step = iota // go on with the selections inside, and then with the next one
	Over             // go on with the next one
	End              // end the walk
)

// Walker visits selections, each before those inside it, in the order of the document.
type Walker struct {
	// Visit is called for each selection, and says how to go on.
	Visit func(ast.Selection) Step
	// Fragment returns the fragment that a spread stands for, or nil if it is not known. The walker
	// goes into each fragment once, even if Walk is called several times. If Fragment is nil, the
	// walker goes into no fragment.
	Fragment func(*ast.FragmentSpread) *ast.FragmentDefinition

	seen map[string]bool // the fragments that were visited, by name
}

// Definition returns the fragment that a spread stands for. It is the Walker.Fragment for valid
// documents, whose spreads hold their definitions.
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

// inside returns the selections inside of a selection. It returns nil for a fragment that was
// visited before.
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
