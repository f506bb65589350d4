package graph

import (
	"context"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"forge/internal/fault"
	"forge/internal/read"
)

// switches refuses an operation in which a variable of @skip or @include has no value. A default makes such a variable
// valid, but does not keep a client from sending null (GraphQL specification, section 5.8.5).
type switches struct{ engine *read.Engine }

// ExtensionName names the check for gqlgen.
func (switches) ExtensionName() string { return "Switches" }

// Validate accepts every schema.
func (switches) Validate(graphql.ExecutableSchema) error { return nil }

// MutateOperationContext checks the variables.
func (s switches) MutateOperationContext(_ context.Context, op *graphql.OperationContext) *gqlerror.Error {
	for _, name := range s.engine.Switches(op) {
		if op.Variables[name] == nil {
			return badVariable(name, "the variable $"+name+" decides whether fields are answered, so it must be true or false")
		}
	}
	return nil
}

func badVariable(field, message string) *gqlerror.Error {
	return &gqlerror.Error{Message: message, Extensions: map[string]any{"code": string(fault.BadUserInput), "field": field}}
}
