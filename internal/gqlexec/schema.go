package gqlexec

import (
	"maps"
	"slices"

	"github.com/vektah/gqlparser/v2/ast"
)

// served returns the schema as clients see it: without @defer, and without built-in scalars that
// nothing uses. gqlgen adds @defer, which Forge does not implement. A schema must not have scalars
// that it does not use (GraphQL specification, section 3.5).
func served(whole *ast.Schema) *ast.Schema {
	schema := *whole
	schema.Directives = maps.Clone(schema.Directives)
	delete(schema.Directives, "defer")
	schema.Types = maps.Clone(schema.Types)
	for _, scalar := range []string{"Int", "Float", "ID"} {
		if !uses(&schema, scalar) {
			delete(schema.Types, scalar)
		}
	}
	return &schema
}

// uses reports whether a field or an argument of the schema has the type of this name.
func uses(schema *ast.Schema, name string) bool {
	for _, def := range schema.Types {
		for _, field := range def.Fields {
			if field.Type.Name() == name || slices.ContainsFunc(field.Arguments, func(a *ast.ArgumentDefinition) bool { return a.Type.Name() == name }) {
				return true
			}
		}
	}
	return false
}
