package gqlexec

import (
	"context"
	"strings"

	"github.com/vektah/gqlparser/v2/gqlerror"

	"forge/internal/apperr"
	"forge/internal/telemetry"
)

// MaxNesting is how deep brackets may stand inside each other in a document, and lists and objects
// in the values of variables. Parsing and validation are recursive, and their cost grows faster
// than the depth.
const MaxNesting = 100

// tooDeep returns the error for a request in which something is nested too deep.
func tooDeep(ctx context.Context, what string, depth int) gqlerror.List {
	telemetry.FromContext(ctx).Refuse(telemetry.Nesting)
	return gqlerror.List{tooMuch(apperr.CodeTooDeep, what, MaxNesting, depth)}
}

// Nesting returns how deep brackets stand inside each other in a document. Brackets in strings and
// comments do not count.
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
// a backslash escapes the next character. In a block string, a backslash escapes only three quotes
// in a row (GraphQL specification, section 2.9.4).
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

// endOfBlock returns the index of the last quote of a block string. i is an index in its text.
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
