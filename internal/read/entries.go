package read

import (
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
)

// listEntries is what a list without pages is taken for, such as an order's items.
const listEntries = 5

// Entries returns how many entries the selection of a field stands for: a page's size, as its arguments ask for it; the number
// of IDs that the field is given; in a mutation's payload, the number of inputs; 1 if it is no list. A page that is too large counts
// as the largest.
func (e *Engine) Entries(f *ast.Field, vars map[string]any, inputs int) int {
	if e.connections[f.Definition.Type.Name()] != nil {
		return pageEntries(given{f, vars})
	}
	switch {
	case f.Definition.Type.Elem == nil, e.connections[f.ObjectDefinition.Name] != nil:
		return 1 // what a page lists has been counted with the page
	case len(f.Arguments) > 0:
		return e.Inputs(f, vars)
	case strings.HasSuffix(f.ObjectDefinition.Name, "Payload"):
		return max(listEntries, inputs)
	}
	return listEntries
}

// Inputs returns how long the longest list is that a field is given as an argument.
func (e *Engine) Inputs(f *ast.Field, vars map[string]any) (longest int) {
	for _, value := range f.ArgumentMap(vars) {
		longest = max(longest, len(graphql.CoerceList(value)))
	}
	return longest
}

// RootFields returns the fields of the operation that are run, merged as the specification says.
func (e *Engine) RootFields(op *graphql.OperationContext) []*ast.Field {
	o := e.operation(op)
	return kept(o, o.roots, o.state(op.Variables), func() (fields []*ast.Field) {
		root := e.schema.Query
		if op.Operation.Operation == ast.Mutation {
			root = e.schema.Mutation
		}
		c := &compiler{Engine: e, op: op}
		for _, f := range c.collect(c.conditions(root.Name), op.Operation.SelectionSet) {
			fields = append(fields, f.field)
		}
		return fields
	})
}

func pageEntries(args given) int {
	asked := -1
	for _, name := range []string{"first", "last"} {
		if n, ok := parseInt(args.value(name)); ok {
			asked = max(asked, int(n))
		}
	}
	if asked < 0 {
		return defaultPage
	}
	return min(asked, maxPage)
}
