// Package computed connects the read engine with gqlgen's code for fields that have a resolver, and
// standard mutations with gqlgen's code for others. The plugin in package gqlgen generates what
// calls it for each type.
package computed

import (
	"context"
	"slices"

	"github.com/99designs/gqlgen/graphql"
)

// Code is the generated code of a schema. The executable schema implements it.
type Code interface {
	// Computed returns the code for a GraphQL type in an operation. It returns nil if no field of
	// the type has a resolver.
	Computed(op *graphql.OperationContext, name string) Type
}

// Roots is the generated code for root fields, beside those that the framework answers itself:
// standard mutations (see package write), and what shows the log of changes. The executable schema
// implements it if it is generated with the plugin.
type Roots interface {
	// Mutate calls the resolver of a root field of Mutation, with the field's directives and
	// middlewares around it. Errors are added to the response of ctx.
	Mutate(ctx context.Context, op *graphql.OperationContext, field graphql.CollectedField) graphql.Marshaler
	// Ask does the same with a root field of Query.
	Ask(ctx context.Context, op *graphql.OperationContext, field graphql.CollectedField) graphql.Marshaler
}

// Type is the code for the objects of one type.
type Type interface {
	// Objects returns n empty objects.
	Objects(n int) Objects
}

// Objects are objects of one type. They are the parents of fields with resolvers.
type Objects interface {
	// Set sets a field of one object. The value is one that a client could send as an argument of
	// the field's type. Set returns an error if the field's type does not accept the value.
	Set(ctx context.Context, i int, field string, value any) error
	// Context returns a context in which a resolver with batch: true gets those of the objects that
	// are listed. The n-th in the list has the index n in the path of its field.
	Context(ctx context.Context, list []int) context.Context
	// Resolve calls the resolver of a field of one object, with the field's directives and
	// middlewares around it. Errors are added to the response of ctx.
	Resolve(ctx context.Context, i int, field graphql.CollectedField) graphql.Marshaler
}

// Of is the code for the objects of type T.
type Of[T any] struct {
	Name      string // of the GraphQL type
	SetField  func(ctx context.Context, obj *T, field string, value any) error
	ResolveIt func(ctx context.Context, obj *T, field graphql.CollectedField) graphql.Marshaler
}

// Objects implements Type.
func (o *Of[T]) Objects(n int) Objects {
	made, list := make([]T, n), make([]*T, n)
	for i := range made {
		list[i] = &made[i]
	}
	return objects[T]{o, list}
}

type objects[T any] struct {
	of   *Of[T]
	list []*T
}

func (o objects[T]) Set(ctx context.Context, i int, field string, value any) error {
	return o.of.SetField(ctx, o.list[i], field, value)
}

func (o objects[T]) Context(ctx context.Context, list []int) context.Context {
	parents := make([]*T, len(list))
	for n, i := range list {
		parents[n] = o.list[i]
	}
	return graphql.WithBatchParents(ctx, o.of.Name, slices.Clip(parents), nil)
}

func (o objects[T]) Resolve(ctx context.Context, i int, field graphql.CollectedField) graphql.Marshaler {
	return o.of.ResolveIt(ctx, o.list[i], field)
}
