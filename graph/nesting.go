package graph

import (
	"context"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"forge/internal/fault"
	"forge/internal/telemetry"
)

// maxNesting is how deep brackets may stand inside each other in a document. Parsing and validation go down with them, and
// their cost grows faster than the depth.
const maxNesting = 100

// nesting refuses documents that are nested too deep before they are parsed.
type nesting struct{}

// ExtensionName names the check for gqlgen.
func (nesting) ExtensionName() string { return "Nesting" }

// Validate accepts every schema.
func (nesting) Validate(graphql.ExecutableSchema) error { return nil }

// MutateOperationParameters checks the document.
func (nesting) MutateOperationParameters(ctx context.Context, request *graphql.RawParams) *gqlerror.Error {
	if depth := bracketDepth(request.Query); depth > maxNesting {
		telemetry.FromContext(ctx).Refuse(telemetry.Nesting)
		return tooMuch(fault.TooDeep, "brackets stand inside each other", maxNesting, depth)
	}
	return nil
}

// bracketDepth returns how deep brackets stand inside each other, those in texts and comments left out.
func bracketDepth(document string) (deepest int) {
	depth := 0
	for i := 0; i < len(document); i++ {
		switch document[i] {
		case '{', '(', '[':
			depth++
			deepest = max(deepest, depth)
		case '}', ')', ']':
			depth--
		case '"':
			i = endOfText(document, i)
		case '#':
			for i+1 < len(document) && document[i+1] != '\n' && document[i+1] != '\r' {
				i++
			}
		}
	}
	return deepest
}

// endOfText returns where the text that starts at i ends: behind a quote that is not escaped, or three for a block of text.
func endOfText(document string, i int) int {
	quotes := 1
	if len(document) > i+2 && document[i:i+3] == `"""` {
		quotes = 3
	}
	for i += quotes; i < len(document); i++ {
		switch {
		case document[i] == '\\':
			i++
		case document[i] == '"' && quotes == 1, len(document) > i+2 && document[i:i+3] == `"""`:
			return i + quotes - 1
		}
	}
	return i
}
