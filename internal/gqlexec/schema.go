package gqlexec

import (
	"maps"
	"slices"

	"github.com/vektah/gqlparser/v2/ast"
)

// served returns the schema without @defer and without unused scalars. gqlgen adds @defer, which no
// answer of Forge obeys. Scalars that are not used must not be in a schema (GraphQL specification,
// section 3.5).
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

// uses reports whether a field or an argument of the schema has the type.
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
