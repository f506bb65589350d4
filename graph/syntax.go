package graph

import (
	"context"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"forge/internal/syntax"
)

// normalization rewrites what gqlparser would read in another way than the specification does, and
// refuses what it would take (package syntax). It comes before whatever looks into the document.
type normalization struct{ known documentCache } // what is in it has been normalized

// ExtensionName names the extension for gqlgen.
func (normalization) ExtensionName() string { return "Normalization" }

// Validate accepts every schema.
func (normalization) Validate(graphql.ExecutableSchema) error { return nil }

// MutateOperationParameters normalizes the document.
func (n normalization) MutateOperationParameters(_ context.Context, request *graphql.RawParams) (err *gqlerror.Error) {
	if !n.known.has(request.Query) {
		request.Query, err = syntax.Normalize(request.Query)
	}
	return err
}
