// Package persisted lets clients name a document instead of sending it. The document is either one
// that a client has sent before (automatic persisted queries), or one of a manifest that the
// operator provides (trusted documents).
//
// A request names a document in one of two ways:
//
//   - with extensions.persistedQuery, {"version": 1, "sha256Hash": …}, as Apollo Client does:
//     https://www.apollographql.com/docs/apollo-server/performance/apq
//   - with the parameter documentId, as in the appendix "Persisted Documents" of the draft of
//     GraphQL over HTTP: https://github.com/graphql/graphql-over-http
package persisted

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/handler/extension"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/lexer"

	"forge/internal/apperr"
	"forge/internal/cache"
	"forge/internal/graphqlhttp"
	"forge/internal/telemetry"
)

// Automatic keeps the documents that clients send with a hash. A client may later send the hash
// alone. If the hash is not in the cache, the answer is PersistedQueryNotFound, and the client
// sends the document again.
//
// It replaces gqlgen's extension for automatic persisted queries, for three reasons. The errors of
// gqlgen's extension about malformed requests have no code, so that they look like faults of the
// server. Its cache has a limit for the number of documents, but none for their size. It does not
// support documentId.
type Automatic struct {
	// Shared has the documents that other servers were sent. It is asked for those that are not in
	// the cache. It may be nil.
	Shared Store

	documents *cache.Cache[string] // by their hashes
}

// Store keeps documents by the SHA-256 of their texts, in hexadecimal digits. What it has need not
// last.
type Store interface {
	Get(ctx context.Context, hash string) (document string, ok bool)
	Put(ctx context.Context, hash, document string)
}

// NewAutomatic returns an Automatic that caches at most maxDocuments documents with maxBytes bytes
// in total. If there are more, it removes those that have not been used for the longest time.
func NewAutomatic(maxDocuments, maxBytes int) Automatic {
	return Automatic{documents: cache.New[string](maxDocuments, maxBytes, nil)}
}

// MutateOperationParameters looks up the document for a request that only has a hash. If a request
// has both, the hash must be that of the document.
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
		known, ok := a.find(ctx, hash)
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

// find returns the document with a hash.
func (a Automatic) find(ctx context.Context, hash string) (document string, ok bool) {
	if document, ok = a.documents.Get(hash); ok || a.Shared == nil {
		return document, ok
	}
	// The server need not trust who may write to the database.
	if document, ok = a.Shared.Get(ctx, hash); !ok || hashOf(document) != hash {
		return "", false
	}
	a.documents.Add(hash, document, len(document))
	return document, true
}

// statistics is the key under which gqlgen's own extension stores the hash of a request.
const statistics = "APQ"

// MutateOperationContext caches the document of a request with its hash. It is called after the
// document has been validated. An invalid document is not cached: clients could have it validated
// again and again with a hash of a few bytes. One with a password is not cached either: whether a
// hash is known would tell whether a guess is right, and nobody would count the guesses.
func (a Automatic) MutateOperationContext(ctx context.Context, op *graphql.OperationContext) *gqlerror.Error {
	stats, ok := op.Stats.GetExtension(statistics).(*extension.ApqStats)
	if !ok || !stats.SentQuery || mayHaveSecrets(op) {
		return nil
	}
	if _, known := a.documents.Get(stats.Hash); !known {
		// Without the copy, the cached text would keep the whole body of the request in memory.
		a.documents.Add(stats.Hash, strings.Clone(op.RawQuery), len(op.RawQuery))
	}
	if a.Shared != nil {
		a.Shared.Put(ctx, stats.Hash, op.RawQuery)
	}
	return nil
}

// mayHaveSecrets reports whether a document has a mutation, and a text, which may be a password
// that should have been a variable.
func mayHaveSecrets(op *graphql.OperationContext) bool {
	isMutation := func(o *ast.OperationDefinition) bool { return o.Operation == ast.Mutation }
	if !slices.ContainsFunc(op.Doc.Operations, isMutation) {
		return false
	}
	tokens := lexer.New(&ast.Source{Input: op.RawQuery})
	for {
		token, err := tokens.ReadToken()
		switch {
		case err != nil || token.Kind == lexer.String || token.Kind == lexer.BlockString:
			return true
		case token.Kind == lexer.EOF:
			return false
		}
	}
}

// Off refuses all requests that only name a document. Its error tells clients to send documents in
// full.
type Off struct{}

// MutateOperationParameters refuses a request without a document.
func (Off) MutateOperationParameters(_ context.Context, params *graphql.RawParams) *gqlerror.Error {
	if params.Query != "" {
		return nil
	}
	return coded(apperr.CodePersistedQueryNotSupported, "PersistedQueryNotSupported")
}

// reference is the name that a request uses for a document, and the parameter that holds the name.
type reference struct{ id, field string }

const hashField = "extensions.persistedQuery.sha256Hash"

// referenceOf returns the reference in a request. Its ID is empty if the request does not name a
// document. referenceOf returns an error if the reference is malformed, or if the request has two.
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

// hash returns the SHA-256 in the reference, as lower-case hexadecimal digits, or "" if the
// reference is not a SHA-256.
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

// coded returns a new error with a code. Each error is made anew, because gqlgen changes errors.
func coded(code apperr.Code, format string, args ...any) *gqlerror.Error {
	return &gqlerror.Error{Message: fmt.Sprintf(format, args...), Extensions: map[string]any{"code": string(code)}}
}
