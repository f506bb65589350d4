package gqlexec

import (
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator/core"

	"forge/internal/syntax"
)

// fragments are the fragments of a document by their names. After the checks in this file, no two
// fragments have the same name, each spread has a fragment, and no fragment is spread within
// itself. So later code can follow spreads, and comes to an end.
type fragments map[string]*ast.FragmentDefinition

// checkNames reports operations and fragments that have the name of another one. It returns the
// fragments by name (GraphQL specification, sections 5.2.1.1 and 5.5.1.1).
func checkNames(document *ast.QueryDocument, found *problems) fragments {
	operations := map[string]*ast.OperationDefinition{}
	for _, o := range document.Operations {
		if first := operations[o.Name]; first != nil && o.Name != "" {
			found.add("UniqueOperationNames", core.At(first.Position), core.At(o.Position),
				core.Message(`There can be only one operation named "%s".`, o.Name))
		}
		operations[o.Name] = o
	}
	all := fragments{}
	for _, f := range document.Fragments {
		if first := all[f.Name]; first != nil {
			found.add("UniqueFragmentNames", core.At(first.Position), core.At(f.Position),
				core.Message(`There can be only one fragment named "%s".`, f.Name))
		}
		all[f.Name] = f
	}
	return all
}

// checkSpreads reports spreads of unknown fragments, and of fragments within themselves (GraphQL
// specification, sections 5.5.2.1 and 5.5.2.2). It follows no spread, because a fragment that is
// spread within itself would never end.
func (all fragments) checkSpreads(document *ast.QueryDocument, found *problems) {
	for _, o := range document.Operations {
		for _, s := range spreadsIn(o.SelectionSet) {
			all.checkKnown(s, found)
		}
	}
	c := cycles{fragments: all, found: found, place: map[string]int{}}
	for _, f := range document.Fragments {
		c.enter(f)
	}
}

func (all fragments) checkKnown(s *ast.FragmentSpread, found *problems) (known *ast.FragmentDefinition) {
	if known = all[s.Name]; known == nil {
		found.add("KnownFragmentNames", core.Message(`Unknown fragment "%s".`, s.Name), core.At(s.Position))
	}
	return known
}

// spreadsIn returns the spreads in a set. It does not look into the fragments.
func spreadsIn(set ast.SelectionSet) (spreads []*ast.FragmentSpread) {
	w := syntax.Walker{Visit: func(selection ast.Selection) syntax.Step {
		if s, ok := selection.(*ast.FragmentSpread); ok {
			spreads = append(spreads, s)
		}
		return syntax.Into
	}}
	w.Walk(set)
	return spreads
}

// cycles looks for fragments that are spread within themselves. It enters each fragment once.
type cycles struct {
	fragments
	found *problems
	path  []*ast.FragmentSpread // the spreads that led to the current fragment
	place map[string]int        // length of path when a fragment was entered, or done
}

const done = -1

func (c *cycles) enter(f *ast.FragmentDefinition) {
	if _, entered := c.place[f.Name]; entered {
		return
	}
	c.place[f.Name] = len(c.path)
	for _, s := range spreadsIn(f.SelectionSet) {
		next := c.checkKnown(s, c.found)
		if next == nil {
			continue
		}
		if from, entered := c.place[s.Name]; entered && from != done {
			c.report(s, c.path[from:])
			continue
		}
		c.path = append(c.path, s)
		c.enter(next)
		c.path = c.path[:len(c.path)-1]
	}
	c.place[f.Name] = done
}

// report reports a spread of a fragment within itself. The message names at most the first ten
// spreads on the way.
func (c *cycles) report(s *ast.FragmentSpread, via []*ast.FragmentSpread) {
	var names strings.Builder
	for i, step := range via[:min(len(via), 10)] {
		names.WriteString([]string{` via "`, `, "`}[min(i, 1)] + step.Name + `"`)
	}
	if len(via) > 10 {
		names.WriteString(", …")
	}
	c.found.add("NoFragmentCycles", core.At(s.Position),
		core.Message(`Cannot spread fragment "%s" within itself%s.`, s.Name, names.String()))
}

// expansion counts the selections that a set stands for. The selections of a fragment count each
// time it is spread.
type expansion struct{ sum sum[int] }

func (e *expansion) part(selection ast.Selection) int {
	if f, ok := selection.(*ast.Field); ok {
		return plus(1, e.sum.of(f.SelectionSet))
	}
	return 1
}

func (e *expansion) add(a, b int) int { return plus(a, b) }

// checkExpansion spends one step for each selection that the document's operations stand for. Later
// checks and the execution follow a fragment each time it is spread.
func (all fragments) checkExpansion(document *ast.QueryDocument, b *stepBudget) {
	e := &expansion{sum[int]{known: all}}
	e.sum.parts = e
	for _, o := range document.Operations {
		b.spend(e.sum.of(o.SelectionSet))
	}
}

// maxIntrospected is how many lists of introspection may stand inside each other. Each list
// multiplies the size of the answer by the number of types, fields or arguments.
const maxIntrospected = 2

// introspectionDepth finds how many lists of introspection stand inside each other.
type introspectionDepth struct {
	*stepBudget
	sum sum[int]
}

func (d *introspectionDepth) part(selection ast.Selection) (depth int) {
	d.spend(1)
	if f, ok := selection.(*ast.Field); ok {
		depth = d.sum.of(f.SelectionSet)
		switch f.Name {
		case "fields", "interfaces", "possibleTypes", "inputFields":
			depth++
		}
	}
	return depth
}

func (d *introspectionDepth) add(a, b int) int { return max(a, b) }

// introspection returns a rule: no operation may have more than maxIntrospected lists of
// introspection inside each other. It replaces gqlparser's rule, which follows a fragment each time
// it is spread.
func (all fragments) introspection(b *stepBudget) core.RuleFunc {
	d := &introspectionDepth{b, sum[int]{known: all}}
	d.sum.parts = d
	return func(events *core.Events, add core.AddErrFunc) {
		events.OnField(func(_ *core.Walker, f *ast.Field) {
			if (f.Name == "__schema" || f.Name == "__type") && d.sum.of(f.SelectionSet) > maxIntrospected {
				add(core.Message("Maximum introspection depth exceeded"), core.At(f.Position))
			}
		})
	}
}
