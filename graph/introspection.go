package graph

import (
	"context"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"forge/internal/fault"
)

// noIntrospection refuses operations that ask for the schema itself.
type noIntrospection struct{}

// ExtensionName names the check for gqlgen.
func (noIntrospection) ExtensionName() string { return "NoIntrospection" }

// Validate accepts every schema.
func (noIntrospection) Validate(graphql.ExecutableSchema) error { return nil }

// MutateOperationContext looks for __schema and __type in the operation. Fragments count where they are defined: each is used.
func (noIntrospection) MutateOperationContext(_ context.Context, op *graphql.OperationContext) *gqlerror.Error {
	sets := []ast.SelectionSet{op.Operation.SelectionSet}
	for _, fragment := range op.Doc.Fragments {
		sets = append(sets, fragment.SelectionSet)
	}
	for _, set := range sets {
		if f := introspects(set); f != nil {
			err := gqlerror.ErrorPosf(f.Position, "%s is not answered: introspection is off on this server", f.Name)
			err.Extensions = map[string]any{"code": string(fault.ValidationFailed)}
			return err
		}
	}
	return nil
}

// introspects returns the first field of the set that asks for the schema. Such fields stand at the root, or in a fragment of it.
func introspects(set ast.SelectionSet) *ast.Field {
	for _, selection := range set {
		switch s := selection.(type) {
		case *ast.Field:
			if s.Name == "__schema" || s.Name == "__type" {
				return s
			}
		case *ast.InlineFragment:
			if f := introspects(s.SelectionSet); f != nil {
				return f
			}
		}
	}
	return nil
}
