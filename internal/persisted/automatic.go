package persisted

import (
	"context"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/handler/extension"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"forge/internal/apperr"
	"forge/internal/cache"
	"forge/internal/telemetry"
)

// Automatic has clients send a document once, with its hash, and from then on the hash alone. A hash that is not known (any more) is answered
// with PersistedQueryNotFound, and the client sends both again.
//
// gqlgen has an extension for this, too. It gives no code to requests that are not well formed, which reads as a fault of the server's, bounds its
// store by the number of documents only, and does not know documentId.
type Automatic struct{ documents *cache.Cache[string] } // by their hashes

// NewAutomatic returns an Automatic that keeps so many documents at most, the ones that were asked for last, and so many bytes of them.
func NewAutomatic(most, mostBytes int) Automatic {
	return Automatic{cache.New[string](most, mostBytes, nil)}
}

// ExtensionName names the extension for gqlgen.
func (Automatic) ExtensionName() string { return "AutomaticPersistedQueries" }

// Validate accepts every schema.
func (Automatic) Validate(graphql.ExecutableSchema) error { return nil }

// MutateOperationParameters puts the document in that a request refers to, or checks that the one
// it brings has the hash that it gives.
func (a Automatic) MutateOperationParameters(ctx context.Context, params *graphql.RawParams) *gqlerror.Error {
	ref, err := referenceOf(params)
	if err != nil || ref.id == "" {
		return err
	}
	hash := ref.hash()
	if hash == "" {
		return badInput(ref.field, ref.field+" must be a SHA-256, in 64 hexadecimal digits in lower case: this server knows documents by nothing else")
	}
	sent := params.Query != ""
	if sent {
		if hashOf(params.Query) != hash {
			return badInput(ref.field, ref.field+" is not the SHA-256 of the query that came with it")
		}
	} else {
		known, ok := a.documents.Get(hash)
		telemetry.FromContext(ctx).LookUp(ok)
		if !ok {
			return coded(apperr.CodePersistedQueryNotFound, "PersistedQueryNotFound") // clients look for this very message
		}
		params.Query = known
	}
	graphql.GetOperationContext(ctx).Stats.SetExtension(statistics, &extension.ApqStats{Hash: hash, SentQuery: sent})
	return nil
}

// statistics is where gqlgen's own extension has what is known of the hash.
const statistics = "APQ"

// MutateOperationContext keeps the document that a request brings with its hash. It is called once
// the document is found to be valid and the variables fit: one that is not would be validated again
// and again for a hash of a few bytes.
func (a Automatic) MutateOperationContext(_ context.Context, op *graphql.OperationContext) *gqlerror.Error {
	if given, ok := op.Stats.GetExtension(statistics).(*extension.ApqStats); ok && given.SentQuery {
		a.keep(given.Hash, op.RawQuery)
	}
	return nil
}

func (a Automatic) keep(hash, text string) {
	if _, known := a.documents.Get(hash); !known {
		a.documents.Add(hash, strings.Clone(text), len(text)) // what the text was cut from is not to be kept with it
	}
}

// Off is for a server that keeps no documents. A client that sends a hash alone is told to stop doing so, in the words that clients know.
type Off struct{}

// ExtensionName names the extension for gqlgen.
func (Off) ExtensionName() string { return "NoPersistedQueries" }

// Validate accepts every schema.
func (Off) Validate(graphql.ExecutableSchema) error { return nil }

// MutateOperationParameters refuses a request without a document.
func (Off) MutateOperationParameters(_ context.Context, params *graphql.RawParams) *gqlerror.Error {
	if params.Query != "" {
		return nil
	}
	return coded(apperr.CodePersistedQueryNotSupported, "PersistedQueryNotSupported")
}
