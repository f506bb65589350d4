package gqlexec

import (
	"bytes"
	"context"

	"github.com/99designs/gqlgen/graphql"

	"forge/internal/computed"
	"forge/internal/read/plan"
)

// runMutation runs the root fields of a mutation one after the other, as gqlgen does. It carries
// standard mutations out itself.
func (a *attempt) runMutation(ctx context.Context) *graphql.Response {
	name := a.schema.Schema().Mutation.Name
	ctx = graphql.WithFieldContext(ctx, &graphql.FieldContext{Object: name})
	var data bytes.Buffer
	separator := byte('{')
	complete := true
	for _, f := range a.operation.Roots() {
		data.WriteByte(separator)
		separator = ','
		data.WriteString(plan.Quoted(f.Field.Alias) + ":")
		if f.Field.Name == "__typename" {
			data.WriteString(plan.Quoted(name))
			continue
		}
		field := graphql.CollectedField{Field: f.Field, Selections: f.Selections}
		within := graphql.WithRootFieldContext(ctx, &graphql.RootFieldContext{Object: f.Field.Name, Field: field})
		value := a.root(within, func(ctx context.Context) graphql.Marshaler { return a.resolve(ctx, field) })
		value.MarshalGQL(&data)
		complete = complete && (value != graphql.Null || !f.Field.Definition.Type.NonNull)
	}
	if !complete {
		return &graphql.Response{Data: []byte("null")}
	}
	data.WriteByte('}')
	return &graphql.Response{Data: data.Bytes()}
}

// resolve runs one root field of a mutation. It reports errors at the field's path.
func (a *attempt) resolve(ctx context.Context, field graphql.CollectedField) graphql.Marshaler {
	if a.writes[field.Name] == nil {
		return a.schema.(computed.Mutations).Mutate(ctx, a.op, field)
	}
	if a.api.WithoutEngine {
		return a.engine.Mutate(ctx, func(ctx context.Context) graphql.Marshaler { return a.write(ctx, field) })
	}
	return a.write(ctx, field)
}

// write carries a standard mutation out, with the middlewares of fields around it.
func (a *attempt) write(ctx context.Context, field graphql.CollectedField) (payload graphql.Marshaler) {
	ctx = graphql.WithFieldContext(ctx, &graphql.FieldContext{Object: field.ObjectDefinition.Name, Field: field, IsResolver: true})
	defer func() {
		if panicked := recover(); panicked != nil {
			a.op.Error(ctx, a.op.Recover(ctx, panicked))
			payload = graphql.Null
		}
	}()
	value, err := a.field(ctx, func(ctx context.Context) (any, error) {
		id, err := a.writes[field.Name].Run(ctx, field.ArgumentMap(a.op.Variables))
		if err != nil {
			return nil, err
		}
		return a.engine.Payload(ctx, id)
	})
	if err != nil {
		a.op.Error(ctx, graphql.AddFieldLocationToError(ctx, err))
		return graphql.Null
	}
	return value.(graphql.Marshaler)
}
