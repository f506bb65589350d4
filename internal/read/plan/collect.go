package plan

import (
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"forge/internal/syntax"
)

// Collected is a field that stands for all fields of one response key. Their selections are merged.
type Collected struct {
	Field      *ast.Field
	Selections ast.SelectionSet
	merged     bool // Selections is a copy, to which more may be appended
}

// Collect merges selection sets as CollectFields of the GraphQL specification does (section 6.3.2).
// The type conditions are the names that the object's type fulfils.
func Collect(variables map[string]any, typeConditions map[string]bool, sets ...ast.SelectionSet) []*Collected {
	g := grouping{variables: variables, typeConditions: typeConditions}
	w := syntax.Walker{Fragment: syntax.Definition, Visit: g.visit}
	for _, set := range sets {
		w.Walk(set)
	}
	return g.fields
}

type grouping struct {
	variables      map[string]any
	typeConditions map[string]bool
	fields         []*Collected
}

// visit merges a field with the others of its response key. It goes into fragments whose type
// conditions the object fulfils, and leaves out what @skip and @include leave out.
func (g *grouping) visit(selection ast.Selection) syntax.Step {
	if !included(DirectivesOf(selection), g.variables) {
		return syntax.Over
	}
	switch s := selection.(type) {
	case *ast.Field:
		g.merge(s)
	case *ast.InlineFragment:
		if s.TypeCondition == "" || g.typeConditions[s.TypeCondition] {
			return syntax.Into
		}
	case *ast.FragmentSpread:
		if g.typeConditions[s.Definition.TypeCondition] {
			return syntax.Into
		}
	}
	return syntax.Over
}

// DirectivesOf returns the directives of a selection.
func DirectivesOf(selection ast.Selection) ast.DirectiveList {
	switch s := selection.(type) {
	case *ast.Field:
		return s.Directives
	case *ast.InlineFragment:
		return s.Directives
	case *ast.FragmentSpread:
		return s.Directives
	}
	return nil
}

func (g *grouping) merge(f *ast.Field) {
	for _, known := range g.fields {
		if known.Field.Alias == f.Alias {
			if !known.merged {
				known.Selections, known.merged = slices.Clone(known.Selections), true
			}
			known.Selections = append(known.Selections, f.SelectionSet...)
			return
		}
	}
	g.fields = append(g.fields, &Collected{Field: f, Selections: f.SelectionSet})
}

// included reports whether @skip and @include leave the selection in.
func included(directives ast.DirectiveList, vars map[string]any) bool {
	return !holds(directives.ForName("skip"), vars) &&
		(directives.ForName("include") == nil || holds(directives.ForName("include"), vars))
}

func holds(d *ast.Directive, vars map[string]any) bool {
	if d == nil {
		return false
	}
	on, _ := d.ArgumentMap(vars)["if"].(bool)
	return on
}

// Switches returns the names of the variables that stand in @skip or @include, in the operation or
// in a fragment of its document. The names are sorted.
func Switches(doc *ast.QueryDocument, op *ast.OperationDefinition) []string {
	var names []string
	w := syntax.Walker{Visit: func(selection ast.Selection) syntax.Step {
		for _, d := range DirectivesOf(selection) {
			for _, arg := range d.Arguments {
				if (d.Name == "skip" || d.Name == "include") && arg.Value.Kind == ast.Variable {
					names = append(names, strings.Clone(arg.Value.Raw))
				}
			}
		}
		return syntax.Into
	}}
	w.Walk(op.SelectionSet)
	for _, fragment := range doc.Fragments {
		w.Walk(fragment.SelectionSet)
	}
	slices.Sort(names)
	return slices.Compact(names)
}
