package write

import (
	"strconv"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"forge/internal/apperr"
)

// whole looks for what a condition on the rows to change leaves out, so that it would be about more
// rows than it seems to be: entries that are null, and a not that says nothing. A variable without
// a value makes both. It returns an error about the first.
func whole(s *ast.Schema, of *ast.Definition, where map[string]any, path string, negated bool) error {
	given := 0
	for _, d := range of.Fields {
		value, ok := where[d.Name]
		if !ok {
			continue
		}
		given++
		at, inner := path+"."+d.Name, s.Types[d.Type.Name()]
		if value == nil {
			return isNull(of, d.Name, at)
		}
		if inner.Kind != ast.InputObject {
			continue
		}
		if err := wholeEach(s, inner, d, value, at, negated || d.Name == "not"); err != nil {
			return err
		}
	}
	if negated && given == 0 {
		return apperr.BadInput(path, "it says nothing of the rows to change; write a condition into it, or leave it out")
	}
	return nil
}

// wholeEach does the same for the conditions that a field holds, one or a list.
func wholeEach(s *ast.Schema, of *ast.Definition, d *ast.FieldDefinition, value any, path string, negated bool) error {
	object, single := value.(map[string]any)
	if d.Type.Elem == nil && single {
		return whole(s, of, object, path, negated)
	}
	list := graphql.CoerceList(value)
	if negated && len(list) == 0 {
		return apperr.BadInput(path, "it says nothing of the rows to change; write a condition into it, or leave it out")
	}
	for i, entry := range list {
		object, _ := entry.(map[string]any)
		if err := whole(s, of, object, path+"."+strconv.Itoa(i), negated); err != nil {
			return err
		}
	}
	return nil
}

func isNull(of *ast.Definition, name, path string) error {
	if of.Fields.ForName(name+"IsNil") != nil {
		return apperr.BadInput(path, "%s is null, which says nothing of the rows to change; leave it out, or write %sIsNil: true for rows without a value", name, name)
	}
	return apperr.BadInput(path, "%s is null, which says nothing of the rows to change; leave it out", name)
}
