package plan

import (
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
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
	for _, set := range sets {
		g.add(set)
	}
	return g.fields
}

type grouping struct {
	variables      map[string]any
	typeConditions map[string]bool
	visited        []string
	fields         []*Collected
}

func (g *grouping) add(set ast.SelectionSet) {
	for _, s := range set {
		switch s := s.(type) {
		case *ast.Field:
			if included(s.Directives, g.variables) {
				g.merge(s)
			}
		case *ast.InlineFragment:
			if included(s.Directives, g.variables) && (s.TypeCondition == "" || g.typeConditions[s.TypeCondition]) {
				g.add(s.SelectionSet)
			}
		case *ast.FragmentSpread:
			if !included(s.Directives, g.variables) || slices.Contains(g.visited, s.Name) {
				continue
			}
			g.visited = append(g.visited, s.Name)
			if g.typeConditions[s.Definition.TypeCondition] {
				g.add(s.Definition.SelectionSet)
			}
		}
	}
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
	var walk func(ast.SelectionSet)
	note := func(directives ast.DirectiveList) {
		for _, d := range directives {
			for _, arg := range d.Arguments {
				if (d.Name == "skip" || d.Name == "include") && arg.Value.Kind == ast.Variable {
					names = append(names, strings.Clone(arg.Value.Raw))
				}
			}
		}
	}
	walk = func(set ast.SelectionSet) {
		for _, s := range set {
			switch s := s.(type) {
			case *ast.Field:
				note(s.Directives)
				walk(s.SelectionSet)
			case *ast.InlineFragment:
				note(s.Directives)
				walk(s.SelectionSet)
			case *ast.FragmentSpread:
				note(s.Directives) // the directives inside the fragment are noted below
			}
		}
	}
	walk(op.SelectionSet)
	for _, fragment := range doc.Fragments {
		walk(fragment.SelectionSet)
	}
	slices.Sort(names)
	return slices.Compact(names)
}
