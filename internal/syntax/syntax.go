// Package syntax reads documents as the GraphQL specification of September 2025 has it where
// gqlparser's lexer and parser do not: escapes for characters past U+FFFF, quotes at the end of a
// block string, descriptions of operations, and some texts that are no document.
package syntax

import (
	"strings"

	"github.com/99designs/gqlgen/graphql/errcode"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/parser"
)

// Parse returns the document that a text stands for. The error has the code GRAPHQL_PARSE_FAILED
// and, unless the text has more tokens than allowed, says where the mistake is.
func Parse(text string, tokens int) (*ast.QueryDocument, error) {
	text, err := Normalize(text)
	if err != nil {
		return nil, err
	}
	return parser.ParseQueryWithTokenLimit(&ast.Source{Input: text}, tokens)
}

// Normalize returns the text from which gqlparser reads what the specification reads from the given
// one. It is the text itself unless that has something that gqlparser reads in another way. Tokens
// keep their lines and columns, so that errors lead to the right places. The error is about what
// the specification refuses and gqlparser would take; other mistakes are left to gqlparser.
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

// scanner goes over the tokens of a document.
type scanner struct {
	text string
	at   int // where the next token is looked for
	err  *gqlerror.Error

	out    []byte // the normalized text up to copied, if anything had to be changed
	copied int

	tokens     int    // all so far
	depth      int    // how many brackets are open
	first      string // the first token of the operation or fragment
	inside     int    // how many tokens that has so far
	last       string // the last token
	parameters bool   // whether the outermost open bracket is a round one
}

// next moves over one token, or over one character that is none. It returns false at the end and at
// a mistake.
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

// token moves over the token that goes on to end.
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

// number moves over a number. Nothing that a name begins with may follow it (GraphQL specification,
// section 2.10.1); what else may be wrong with it gqlparser finds.
func (s *scanner) number() {
	end := s.at + numberLength(s.text[s.at:])
	if end < len(s.text) && isNameStart(s.text[end]) {
		s.fail(end, "Invalid number: a name follows it at once; separate the two")
	}
	s.token(end)
}

// change replaces what stands from start to end.
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

// fail says what is wrong at a place of the document.
func (s *scanner) fail(at int, format string, args ...any) {
	if s.err != nil {
		return
	}
	line, column := Position(s.text, at)
	s.err = gqlerror.ErrorLocf("", line, column, format, args...)
	errcode.Set(s.err, errcode.ParseFailed)
}
