package persisted

import (
	"context"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"forge/internal/apperr"
	"forge/internal/telemetry"
)

// Trusted runs the documents of a manifest, and no other: neither introspection nor documents that a client would like to add.
type Trusted struct{ Manifest *Manifest }

// ExtensionName names the extension for gqlgen.
func (Trusted) ExtensionName() string { return "TrustedDocuments" }

// Validate accepts every schema.
func (Trusted) Validate(graphql.ExecutableSchema) error { return nil }

// MutateOperationParameters puts the document in that a request refers to. One that is sent in full must be a document of the manifest, to the byte.
func (t Trusted) MutateOperationParameters(ctx context.Context, params *graphql.RawParams) *gqlerror.Error {
	ref, err := referenceOf(params)
	if err != nil {
		return err
	}
	refused := t.resolve(ref, params)
	if refused != nil {
		telemetry.FromContext(ctx).Refuse(telemetry.Untrusted)
	}
	return refused
}

func (t Trusted) resolve(ref reference, params *graphql.RawParams) *gqlerror.Error {
	if ref.id == "" {
		if !t.Manifest.has(params.Query) {
			return coded(apperr.CodeOperationNotAllowed, "this server runs the operations of its manifest only, and the query is none of them")
		}
		return nil
	}
	known, ok := t.Manifest.named(ref)
	switch {
	case !ok:
		return coded(apperr.CodeOperationNotAllowed, "this server runs the operations of its manifest only, and %s names none of them", ref.field)
	case params.Query != "" && params.Query != known:
		return coded(apperr.CodeOperationNotAllowed, "the query is not the one that %s names in the manifest of this server", ref.field)
	}
	params.Query = known
	return nil
}
