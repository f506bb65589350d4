package catalog

import (
	"regexp"
	"slices"
	"strings"
)

// A token is a word or a sign of an SQL text. The text of a quoted name does not include the
// quotes.
type token struct {
	text   string
	quoted bool // it is a quoted name, so it is not a keyword
}

// is reports whether a token is one of the words, in upper or lower case, and not a quoted name.
func (t token) is(words ...string) bool {
	return !t.quoted && slices.ContainsFunc(words, func(w string) bool { return strings.EqualFold(w, t.text) })
}

// sqlToken matches the token at the beginning of a text. SQLite has accepted the text, so every
// quote is closed.
var sqlToken = regexp.MustCompile(`(?s)^(?:--[^\n]*|/\*.*?(?:\*/|$)|\s+` + // comments and blanks
	"|(\"(?:[^\"]|\"\")*\"|`(?:[^`]|``)*`|\\[[^\\]]*\\])" + // a name
	`|([xX]?'(?:[^']|'')*'|[\pL\pN_$.]+|<=|>=|<>|!=|==|\|\||<<|>>|->>|->|.))`)

// tokensOf splits an SQL text into tokens, without blanks and comments.
func tokensOf(sql string) (tokens []token) {
	for sql != "" {
		m := sqlToken.FindStringSubmatch(sql)
		sql = sql[len(m[0]):]
		switch {
		case m[1] != "":
			tokens = append(tokens, token{unbracketed(m[1]), true})
		case m[2] != "":
			tokens = append(tokens, token{text: m[2]})
		}
	}
	return tokens
}

// unbracketed returns a name without its quotes, which may be any that SQLite accepts.
func unbracketed(name string) string {
	inner := name[1 : len(name)-1]
	if name[0] == '[' {
		return inner
	}
	return strings.ReplaceAll(inner, name[:1]+name[:1], name[:1])
}

// conditionWords are the keywords of conditions, which may be written in upper or lower case.
var conditionWords = []string{"AND", "AS", "ASC", "BETWEEN", "CASE", "CAST", "COLLATE", "DESC", "ELSE", "END", "ESCAPE", "EXISTS", "FALSE",
	"FROM", "GLOB", "IN", "IS", "LIKE", "NOT", "NULL", "OR", "SELECT", "THEN", "TRUE", "WHEN", "WHERE"}

// plain joins tokens to a text. Texts that differ only in quotes, white space and the case of
// keywords result in the same text.
func plain(tokens []token) string {
	var b strings.Builder
	for i, t := range tokens {
		text := t.text
		switch {
		case t.quoted:
			text = shown(text)
		case t.is(conditionWords...):
			text = strings.ToUpper(text)
		}
		if i > 0 && spaced(tokens[i-1], t) {
			b.WriteByte(' ')
		}
		b.WriteString(text)
	}
	return b.String()
}

var word = regexp.MustCompile(`^[\pL\pN_$.]+$`)

// spaced reports whether a space belongs between two tokens.
func spaced(before, t token) bool {
	switch {
	case before.is("(", ".") || t.is(")", ",", "."):
		return false
	case t.is("("): // the arguments of a function, or a list
		return !word.MatchString(before.text) || before.is(conditionWords...)
	default:
		return true
	}
}

// inner splits tokens that begin with a parenthesis into those inside the parentheses and those
// after them. If tokens do not begin with a parenthesis, all of them are rest.
func inner(tokens []token) (in, rest []token) {
	if len(tokens) == 0 || !tokens[0].is("(") {
		return nil, tokens
	}
	depth := 0
	for i, t := range tokens {
		switch {
		case t.is("("):
			depth++
		case t.is(")"):
			depth--
		}
		if depth == 0 {
			return tokens[1:i], tokens[i+1:]
		}
	}
	return tokens[1:], nil
}

// bare removes parentheses that enclose all tokens.
func bare(tokens []token) []token {
	if in, rest := inner(tokens); len(in) > 0 && len(rest) == 0 {
		return bare(in)
	}
	return tokens
}

// separated splits tokens at the commas outside of parentheses.
func separated(tokens []token) (items [][]token) {
	var item []token
	depth := 0
	for _, t := range tokens {
		switch {
		case t.is("("):
			depth++
		case t.is(")"):
			depth--
		}
		if depth == 0 && t.is(",") {
			items, item = append(items, item), nil
			continue
		}
		item = append(item, t)
	}
	return append(items, item)
}
