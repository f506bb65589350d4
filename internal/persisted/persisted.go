// Package persisted lets clients name a document instead of sending it. The document is one that
// they have sent before (automatic persisted queries), or one of a manifest that the operator
// provides (trusted documents).
//
// A document is named in one of two ways: by extensions.persistedQuery, as Apollo Client does,
// {"version": 1, "sha256Hash": …}
// (https://www.apollographql.com/docs/apollo-server/performance/apq); or by the parameter
// documentId, as the draft of GraphQL over HTTP specifies it
// (https://github.com/graphql/graphql-over-http, appendix "Persisted Documents").
package persisted

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/handler/extension"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"forge/internal/apperr"
	"forge/internal/cache"
	"forge/internal/graphqlhttp"
	"forge/internal/telemetry"
)

// Automatic lets clients send a document with its hash once, and only the hash from then on. A hash
// that is not in the cache, or not any more, is answered with PersistedQueryNotFound; the client
// then sends both again.
//
// It replaces gqlgen's extension for this, which gives no code to the errors of malformed requests,
// so that they look like faults of the server; which limits its cache only by the number of
// documents; and which does not support documentId.
type Automatic struct {
	documents *cache.Cache[string] // by their hashes
}

// NewAutomatic returns an Automatic that caches at most maxDocuments documents of maxBytes bytes in
// total. The ones that were not used for the longest time are removed first.
func NewAutomatic(maxDocuments, maxBytes int) Automatic {
	return Automatic{cache.New[string](maxDocuments, maxBytes, nil)}
}

// ExtensionName returns the name of the extension for gqlgen.
func (Automatic) ExtensionName() string { return "AutomaticPersistedQueries" }

// Validate accepts every schema.
func (Automatic) Validate(graphql.ExecutableSchema) error { return nil }

// MutateOperationParameters sets the document that a request names. If the request has a document
// as well, it checks that the document has the hash.
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
			// Clients look for exactly this message.
			return coded(apperr.CodePersistedQueryNotFound, "PersistedQueryNotFound")
		}
		params.Query = known
	}
	graphql.GetOperationContext(ctx).Stats.SetExtension(statistics, &extension.ApqStats{Hash: hash, SentQuery: sent})
	return nil
}

// statistics is the key under which gqlgen's own extension stores the hash of a request.
const statistics = "APQ"

// MutateOperationContext caches the document of a request with its hash. It is called after the
// document has been validated. An invalid document is not cached: clients could have it validated
// again and again with a hash of a few bytes.
func (a Automatic) MutateOperationContext(_ context.Context, op *graphql.OperationContext) *gqlerror.Error {
	stats, ok := op.Stats.GetExtension(statistics).(*extension.ApqStats)
	if !ok || !stats.SentQuery {
		return nil
	}
	if _, known := a.documents.Get(stats.Hash); !known {
		// Without the copy, the whole body of the request would stay in memory with the document.
		a.documents.Add(stats.Hash, strings.Clone(op.RawQuery), len(op.RawQuery))
	}
	return nil
}

// Off refuses all requests that name a document. Its error is the one that makes clients send
// documents in full.
type Off struct{}

// ExtensionName returns the name of the extension for gqlgen.
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

// reference is the name that a request has for a document, and the parameter with that name.
type reference struct{ id, field string }

const hashField = "extensions.persistedQuery.sha256Hash"

// referenceOf returns the reference in a request. The ID is empty if the request only has a
// document. It returns an error if the reference is malformed, or if there are two.
func referenceOf(params *graphql.RawParams) (reference, *gqlerror.Error) {
	id, _ := params.Extensions[graphqlhttp.DocumentID].(string)
	extension := params.Extensions["persistedQuery"]
	switch {
	case id != "" && extension != nil:
		return reference{}, badInput("documentId", "documentId and extensions.persistedQuery both name a document; give one of them")
	case extension != nil:
		return fromExtension(extension)
	default:
		return reference{id, "documentId"}, nil
	}
}

const extensionExample = `{"version": 1, "sha256Hash": "…"}`

// fromExtension returns the reference in extensions.persistedQuery.
func fromExtension(value any) (reference, *gqlerror.Error) {
	extension, ok := value.(map[string]any)
	if !ok {
		return reference{}, badInput("extensions.persistedQuery", "extensions.persistedQuery must be an object, as in "+extensionExample)
	}
	if version, ok := extension["version"].(json.Number); !ok || version != "1" {
		return reference{}, badInput("extensions.persistedQuery.version", "the version of extensions.persistedQuery must be the number 1")
	}
	hash, ok := extension["sha256Hash"].(string)
	if !ok || hash == "" {
		return reference{}, badInput(hashField, "sha256Hash is missing or not a string; extensions.persistedQuery is written "+extensionExample)
	}
	return reference{hash, hashField}, nil
}

// hashPrefix is the prefix of a documentId that is a hash.
const hashPrefix = "sha256:"

// hash returns the hash that the reference consists of, in lower-case hexadecimal digits, or "" if
// it is not a SHA-256.
func (r reference) hash() string {
	digits := strings.TrimPrefix(r.id, hashPrefix)
	notHex := func(c rune) bool { return (c < '0' || '9' < c) && (c < 'a' || 'f' < c) }
	if len(digits) != hex.EncodedLen(sha256.Size) || strings.ContainsFunc(digits, notHex) {
		return ""
	}
	return digits
}

// hashOf returns the SHA-256 of a document in hexadecimal digits.
func hashOf(document string) string {
	sum := sha256.Sum256([]byte(document))
	return hex.EncodeToString(sum[:])
}

// badInput returns an error about a parameter of the request.
func badInput(field, message string) *gqlerror.Error {
	err := coded(apperr.CodeBadUserInput, "%s", message)
	err.Extensions["field"] = field
	return err
}

// coded returns a new error with a code. Errors are not shared, because gqlgen changes them.
func coded(code apperr.Code, format string, args ...any) *gqlerror.Error {
	return &gqlerror.Error{Message: fmt.Sprintf(format, args...), Extensions: map[string]any{"code": string(code)}}
}
