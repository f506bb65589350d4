// Package persisted lets clients name a document instead of sending it: one that they have sent before (automatic persisted queries), or
// one of a list that the operator gave (trusted documents).
//
// A document is named in one of two ways: by extensions.persistedQuery, {"version": 1, "sha256Hash": …}, as Apollo Client does
// (https://www.apollographql.com/docs/apollo-server/performance/apq), or by the parameter documentId, as the draft of GraphQL over HTTP has
// it (https://github.com/graphql/graphql-over-http, appendix "Persisted Documents").
package persisted

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"forge/internal/apperr"
	"forge/internal/graphqlhttp"
)

// reference is the name by which a request refers to a document, and the parameter that has it.
type reference struct{ id, field string }

const hashField = "extensions.persistedQuery.sha256Hash"

// referenceOf returns the reference of a request; one that has none sends its document and nothing else.
func referenceOf(params *graphql.RawParams) (reference, *gqlerror.Error) {
	id, extension := graphqlhttp.DocumentID(params), params.Extensions["persistedQuery"]
	switch {
	case id != "" && extension != nil:
		return reference{}, badInput("documentId", "documentId and extensions.persistedQuery both name a document; give one of them")
	case extension != nil:
		return byExtension(extension)
	default:
		return reference{id, "documentId"}, nil
	}
}

const extensionExample = `{"version": 1, "sha256Hash": "…"}`

func byExtension(value any) (reference, *gqlerror.Error) {
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

// prefix marks a documentId that is a hash.
const prefix = "sha256:"

// hash returns the SHA-256 that the reference is, in lower-case hexadecimal digits; "" if it is something else.
func (r reference) hash() string {
	digits := strings.TrimPrefix(r.id, prefix)
	notHex := func(c rune) bool { return (c < '0' || '9' < c) && (c < 'a' || 'f' < c) }
	if len(digits) != hex.EncodedLen(sha256.Size) || strings.ContainsFunc(digits, notHex) {
		return ""
	}
	return digits
}

func hashOf(document string) string {
	sum := sha256.Sum256([]byte(document))
	return hex.EncodeToString(sum[:])
}

func badInput(field, message string) *gqlerror.Error {
	err := coded(apperr.CodeBadUserInput, "%s", message)
	err.Extensions["field"] = field
	return err
}

// coded returns a new error each time: gqlgen writes into those that it is given.
func coded(code apperr.Code, format string, args ...any) *gqlerror.Error {
	return &gqlerror.Error{Message: fmt.Sprintf(format, args...), Extensions: map[string]any{"code": string(code)}}
}
