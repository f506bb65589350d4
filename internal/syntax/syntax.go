// Package syntax makes gqlparser read documents as the GraphQL specification of September 2025
// defines them. By itself, gqlparser reads some documents in another way: those with escapes for
// characters above U+FFFF, with quotes at the end of a block string, or with descriptions of
// operations. It also accepts some texts that are not documents.
package syntax

import (
	"strings"

	"github.com/99designs/gqlgen/graphql/errcode"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/parser"
)

// Parse parses a text of at most tokens tokens; 0 stands for no limit. Its error has the position
// of the mistake, unless the text has too many tokens.
func Parse(text string, tokens int) (*ast.QueryDocument, error) {
	text, err := Normalize(text)
	if err != nil {
		return nil, err
	}
	return parser.ParseQueryWithTokenLimit(&ast.Source{Input: text}, tokens)
}

// Normalize rewrites a document so that gqlparser understands it as the specification does. A
// document that gqlparser reads correctly is returned unchanged. Tokens keep their lines and
// columns, so the positions in later errors are right for the original text. Normalize returns an
// error only for a mistake that gqlparser would accept. gqlparser finds the other mistakes.
func Normalize(text string) (string, *gqlerror.Error) {
	s := scanner{text: text}
	for s.next() {
	}
	if s.err == nil && s.tokens == 0 {
		s.fail(len(text), "the document is empty; send an operation, as in { __typename }")
	}
	if s.err != nil {
		return "", s.err
	}
	return s.normalized(), nil
}

// scanner reads a document token by token.
type scanner struct {
	text string
	at   int // the index in text at which the scan goes on
	err  *gqlerror.Error

	// out is the normalized form of text[:copied]. It is nil as long as nothing has been changed.
	out    []byte
	copied int

	tokens     int    // the number of tokens so far
	depth      int    // the number of open brackets
	first      string // the first token of the current operation or fragment
	inside     int    // the number of tokens so far in the current operation or fragment
	last       string // the previous token
	parameters bool   // whether the outermost open bracket is "("
}

// next skips one token, or one character between tokens. It returns false at the end of the text,
// and after a mistake.
func (s *scanner) next() bool {
	if s.at >= len(s.text) || s.err != nil {
		return false
	}
	switch c := s.text[s.at]; {
	case ignored(c):
		s.at++
	case strings.HasPrefix(s.text[s.at:], byteOrderMark):
		s.at += len(byteOrderMark)
	case c == '#':
		s.at = endOfLine(s.text, s.at)
	case c == '"':
		s.str()
	case isNameStart(c):
		s.token(s.at + nameLength(s.text[s.at:]))
	case c == '-' || isDigit(c):
		s.number()
	case strings.HasPrefix(s.text[s.at:], "..."):
		s.token(s.at + len("..."))
	default:
		s.punctuator(c)
	}
	return s.err == nil
}

const byteOrderMark = "\uFEFF"

// token skips the token between the current index and end.
func (s *scanner) token(end int) {
	s.last = s.text[s.at:end]
	if s.inside == 0 {
		s.first = s.last
	}
	s.tokens++
	s.inside++
	s.at = end
}

func (s *scanner) punctuator(c byte) {
	switch c {
	case '{', '(', '[':
		if s.depth == 0 {
			s.parameters = c == '('
		}
		if s.parameters && s.depth == 0 && s.first == "fragment" && s.inside == 2 {
			s.fail(s.at, `Expected "on", found "(": a fragment has no variables of its own`)
		}
		s.depth++
	case '}', ')', ']':
		s.depth--
	}
	s.token(s.at + 1)
	if c == '}' && s.depth == 0 {
		s.inside = 0
	}
}

// number skips a number. It fails if a name follows without a separator, as section 2.10.1 of the
// GraphQL specification demands. gqlparser finds other mistakes in numbers.
func (s *scanner) number() {
	end := s.at + numberLength(s.text[s.at:])
	if end < len(s.text) && isNameStart(s.text[end]) {
		s.fail(end, "Invalid number: a name follows it at once; separate the two")
	}
	s.token(end)
}

// change replaces text[start:end] with by.
func (s *scanner) change(start, end int, by string) {
	s.out = append(append(s.out, s.text[s.copied:start]...), by...)
	s.copied = end
}

func (s *scanner) normalized() string {
	if s.out == nil {
		return s.text
	}
	return string(append(s.out, s.text[s.copied:]...))
}

// fail sets the error, with the position of the byte at index at. Only the first error is kept.
func (s *scanner) fail(at int, format string, args ...any) {
	if s.err != nil {
		return
	}
	line, column := Position(s.text, at)
	s.err = gqlerror.ErrorLocf("", line, column, format, args...)
	errcode.Set(s.err, errcode.ParseFailed)
}
