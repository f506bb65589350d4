package read

import "github.com/vektah/gqlparser/v2/ast"

// listEntries is what a list without pages is taken for, such as an order's items.
const listEntries = 5

// Entries returns how many entries the selection of a field stands for: a page's size, as its arguments ask for it; the
// number of IDs or inputs that the field is given; 1 if it is no list. A page that is too large counts as the largest.
func (e *Engine) Entries(f *ast.Field, vars map[string]any) int {
	args := f.ArgumentMap(vars)
	if e.connections[f.Definition.Type.Name()] != nil {
		return pageEntries(args)
	}
	// What a page lists has been counted with the page.
	if f.Definition.Type.Elem == nil || e.connections[f.ObjectDefinition.Name] != nil {
		return 1
	}
	for _, value := range args {
		if entries, ok := value.([]any); ok {
			return len(entries)
		}
	}
	return listEntries
}

func pageEntries(args map[string]any) int {
	asked := -1
	for _, name := range []string{"first", "last"} {
		if n, ok := parseInt(args[name]); ok {
			asked = max(asked, int(n))
		}
	}
	if asked < 0 {
		return defaultPage
	}
	return min(asked, maxPage)
}
