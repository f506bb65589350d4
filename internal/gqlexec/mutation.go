package gqlexec

import (
	"bytes"
	"context"
	"errors"

	"github.com/99designs/gqlgen/graphql"

	"forge/internal/apperr"
	"forge/internal/computed"
	"forge/internal/read"
	"forge/internal/read/plan"
	"forge/internal/write"
)

// runRoots runs the root fields of an operation one after the other, as gqlgen does with mutations.
// It answers those itself that gqlgen does not know; see carriesOut.
func (a *attempt) runRoots(ctx context.Context) *graphql.Response {
	name := a.operation.Root().Name
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

// resolve runs one root field. It reports errors at the field's path.
func (a *attempt) resolve(ctx context.Context, field graphql.CollectedField) graphql.Marshaler {
	switch {
	case !a.carriesOut(field.Field) && a.mutation:
		return a.schema.(computed.Roots).Mutate(ctx, a.op, field)
	case !a.carriesOut(field.Field):
		return a.schema.(computed.Roots).Ask(ctx, a.op, field)
	case !a.mutation:
		return a.within(ctx, field, a.engine.Changes)
	case a.api.WithoutEngine:
		return a.engine.Mutate(ctx, func(ctx context.Context) graphql.Marshaler { return a.write(ctx, field) })
	}
	return a.write(ctx, field)
}

// write carries a standard mutation out.
func (a *attempt) write(ctx context.Context, field graphql.CollectedField) graphql.Marshaler {
	return a.within(ctx, field, func(ctx context.Context) (graphql.Marshaler, error) {
		result, err := a.writes[field.Name].Run(ctx, field.ArgumentMap(a.op.Variables), a.engine)
		if err != nil {
			return nil, err
		}
		return a.engine.Payload(ctx, a.written(ctx, result))
	})
}

// within returns the value of a root field, with the middlewares of fields around it.
func (a *attempt) within(ctx context.Context, field graphql.CollectedField, answer func(context.Context) (graphql.Marshaler, error)) (payload graphql.Marshaler) {
	ctx = graphql.WithFieldContext(ctx, &graphql.FieldContext{Object: field.ObjectDefinition.Name, Field: field, IsResolver: true})
	defer func() {
		if panicked := recover(); panicked != nil {
			a.op.Error(ctx, a.op.Recover(ctx, panicked))
			payload = graphql.Null
		}
	}()
	value, err := a.field(ctx, func(ctx context.Context) (any, error) { return answer(ctx) })
	if err != nil {
		a.op.Error(ctx, graphql.AddFieldLocationToError(ctx, err))
		return graphql.Null
	}
	return value.(graphql.Marshaler)
}

// written returns what a mutation has written, with the errors of what it has left out as clients
// see them.
func (a *attempt) written(ctx context.Context, r write.Result) read.Written {
	w := read.Written{IDs: r.IDs, Created: r.Created, Affected: r.Affected}
	more := maxLeft
	for _, l := range r.Left {
		all := []error{l.Err}
		if several, ok := errors.AsType[*apperr.Errors](l.Err); ok {
			all = several.Unwrap()
			all = all[:min(len(all), 1+more)]
			more -= len(all) - 1
		}
		for _, one := range all {
			err := a.present.error(ctx, one)
			code, _ := err.Extensions["code"].(string)
			field, _ := err.Extensions["field"].(string)
			w.Left = append(w.Left, read.Left{Index: l.Index, Code: code, Message: err.Message, Field: field})
		}
	}
	return w
}

// maxLeft is how many errors an answer has about rows that are left out, beside one for each row.
const maxLeft = 100
