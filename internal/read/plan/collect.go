package plan

import (
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"forge/internal/syntax"
)

// Collected is a field with the merged selections of all its occurrences under one response key.
type Collected struct {
	Field      *ast.Field
	Selections ast.SelectionSet
	merged     bool // selections are a copy, to which more may be appended
}

// Collect merges selection sets as CollectFields of the GraphQL specification does (section 6.3.2),
// for an object that fulfils the type conditions.
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

// visit merges a field, and goes into the fragments of types that the object has.
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

// included evaluates @skip and @include.
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

// Switches returns the variables that stand in @skip and @include anywhere in the operation,
// sorted.
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
