package gqlexec

import (
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator/core"

	"forge/internal/syntax"
)

// fragments are the fragments of a document by their names. After the checks, no two have one name,
// all spreads have a fragment, and no fragment is spread within itself. All who follow spreads then
// see the same fragments, and come to an end.
type fragments map[string]*ast.FragmentDefinition

// checkNames reports operations and fragments with the name of another one. It returns the
// fragments (GraphQL specification, sections 5.2.1.1 and 5.5.1.1).
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
// specification, sections 5.5.2.1 and 5.5.2.2). It does not follow fragments, because nothing
// is known of them yet.
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

// spreadsIn returns the spreads in a set, without following them.
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

// cycles looks for fragments that are spread within themselves. It looks at each fragment once.
type cycles struct {
	fragments
	found *problems
	path  []*ast.FragmentSpread // that led to the fragment that is being looked at
	place map[string]int        // how many of path led to a fragment; done if it has been looked at
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

// report reports a spread of a fragment within itself. The message has at most the first ten steps
// of the way.
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

// expansion adds up how many selections sets stand for, those of a fragment as often as it is
// spread.
type expansion struct{ sum sum[int] }

func (e *expansion) part(selection ast.Selection) int {
	if f, ok := selection.(*ast.Field); ok {
		return plus(1, e.sum.of(f.SelectionSet))
	}
	return 1
}

func (e *expansion) add(a, b int) int { return plus(a, b) }

// checkExpansion takes from the budget as many steps as all operations stand for selections: later
// checks and the execution follow fragments as often as they are spread.
func (all fragments) checkExpansion(document *ast.QueryDocument, b *stepBudget) {
	e := &expansion{sum[int]{known: all}}
	e.sum.parts = e
	for _, o := range document.Operations {
		b.spend(e.sum.of(o.SelectionSet))
	}
}

// maxIntrospected is how many lists of introspection may stand inside each other. Each multiplies
// the size of the answer by the number of types, fields or arguments.
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

// introspection is a rule: no operation may ask for more lists of introspection inside each other
// than maxIntrospected. It takes the place of gqlparser's rule, which follows fragments as often as
// they are spread.
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
