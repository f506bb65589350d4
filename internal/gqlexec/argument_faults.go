package gqlexec

import (
	"context"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"forge/internal/apperr"
	"forge/internal/ids"
	"forge/internal/scalar"
)

// refuseArguments is a root field middleware. If several arguments of a mutation with a resolver
// are not of their types, it reports all of them; gqlgen would report the first alone. Standard
// mutations do so themselves.
func (e *executor) refuseArguments(ctx context.Context, next graphql.RootResolver) graphql.Marshaler {
	field := graphql.GetRootFieldContext(ctx).Field
	if !isMutation(ctx) || e.writes[field.Name] != nil || field.Name == "__typename" {
		return next(ctx)
	}
	within := graphql.WithFieldContext(ctx, &graphql.FieldContext{Object: field.ObjectDefinition.Name, Field: field})
	f := argumentFaults{executor: e, root: field.Name}
	values := field.ArgumentMap(graphql.GetOperationContext(ctx).Variables)
	for _, def := range field.Definition.Arguments {
		f.check(def.Type, values[def.Name], ast.Path{ast.PathName(def.Name)})
	}
	if f.errs.Len() < 2 {
		return next(ctx)
	}
	graphql.AddError(within, graphql.AddFieldLocationToError(within, reportEach(within, &f.errs)))
	return graphql.Null
}

// argumentFaults finds values that gqlgen cannot decode. What variables and literals of a document
// hold was checked before; it is the texts of scalars that are left.
type argumentFaults struct {
	*executor
	root string
	errs apperr.Errors
}

func (f *argumentFaults) check(t *ast.Type, value any, at ast.Path) {
	if value == nil {
		return
	}
	if t.Elem != nil {
		for i, entry := range graphql.CoerceList(value) {
			f.check(t.Elem, entry, append(at[:len(at):len(at)], ast.PathIndex(i)))
		}
		return
	}
	def := f.schema.Schema().Types[t.NamedType]
	members, ok := value.(map[string]any)
	switch {
	case def.Kind == ast.InputObject && ok:
		for _, field := range def.Fields {
			f.check(field.Type, members[field.Name], append(at[:len(at):len(at)], ast.PathName(field.Name)))
		}
	case decoders[def.Name] != nil:
		if err := decoders[def.Name](value); err != nil {
			f.errs.Add(f.present.malformed(f.root, at, err))
		}
	}
}

// decoders decode the texts of scalars as gqlgen does.
var decoders = map[string]func(any) error{
	"ID":        func(v any) error { return new(ids.ID).UnmarshalGQL(v) },
	"Time":      decoder(scalar.UnmarshalTime),
	"Date":      decoder(scalar.UnmarshalDate),
	"LocalTime": decoder(scalar.UnmarshalLocalTime),
	"Duration":  decoder(scalar.UnmarshalDuration),
	"BigInt":    decoder(scalar.UnmarshalBigInt),
	"Decimal":   decoder(scalar.UnmarshalDecimal),
	"UUID":      decoder(scalar.UnmarshalUUID),
	"Bytes":     decoder(scalar.UnmarshalBytes),
}

func decoder[T any](decode func(any) (T, error)) func(any) error {
	return func(v any) error {
		_, err := decode(v)
		return err
	}
}
