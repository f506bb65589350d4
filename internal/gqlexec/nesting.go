package gqlexec

import (
	"context"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"forge/internal/apperr"
	"forge/internal/telemetry"
)

// MaxNesting is how deep brackets may be nested in a document, and lists and objects in the values
// of variables. Parsing and validation follow them down, and their cost grows faster than the
// depth.
const MaxNesting = 100

// checkNesting refuses a request whose document or variables are nested too deep.
func checkNesting(ctx context.Context, request *graphql.RawParams) *gqlerror.Error {
	what, depth := "brackets stand inside each other", Nesting(request.Query)
	if depth <= MaxNesting {
		what, depth = "lists and objects of variables stand inside each other", valueDepth(request.Variables)
	}
	if depth <= MaxNesting {
		return nil
	}
	telemetry.FromContext(ctx).Refuse(telemetry.Nesting)
	return tooMuch(apperr.CodeTooDeep, what, MaxNesting, depth)
}

// valueDepth returns how deep lists and objects are nested in a JSON value, the value itself
// included.
func valueDepth(value any) (depth int) {
	switch value := value.(type) {
	case map[string]any:
		for _, member := range value {
			depth = max(depth, valueDepth(member))
		}
	case []any:
		for _, element := range value {
			depth = max(depth, valueDepth(element))
		}
	default:
		return 0
	}
	return depth + 1
}

// Nesting returns how deep brackets are nested in a document, without those in strings and
// comments.
func Nesting(document string) (deepest int) {
	depth := 0
	for i := 0; i < len(document); i++ {
		switch document[i] {
		case '{', '(', '[':
			depth++
			deepest = max(deepest, depth)
		case '}', ')', ']':
			depth--
		case '"':
			i = endOfString(document, i)
		case '#':
			i = endOfComment(document, i)
		}
	}
	return deepest
}

// endOfComment returns the index of the last character of the comment that starts at i.
func endOfComment(document string, i int) int {
	for i+1 < len(document) && document[i+1] != '\n' && document[i+1] != '\r' {
		i++
	}
	return i
}

// endOfString returns the index of the last character of the string that starts at i. In a string,
// a backslash escapes the next character. In a block string, it escapes only three quotes at once
// (GraphQL specification, section 2.9.4).
func endOfString(document string, i int) int {
	if strings.HasPrefix(document[i:], block) {
		return endOfBlock(document, i+len(block))
	}
	for i++; i < len(document) && document[i] != '"'; i++ {
		if document[i] == '\\' {
			i++
		}
	}
	return i
}

const block = `"""`

// endOfBlock returns the index of the last quote of the block string whose text goes on at i.
func endOfBlock(document string, i int) int {
	for ; i < len(document); i++ {
		rest := document[i:]
		switch {
		case strings.HasPrefix(rest, `\"""`):
			i += len(block)
		case strings.HasPrefix(rest, block):
			return i + len(block) - 1
		}
	}
	return i
}
