package syntax

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

const blockQuotes = `"""`

// str skips a string. If the string does not end, it skips the rest of the document, in which
// gqlparser then finds the mistake.
func (s *scanner) str() {
	start := s.at
	if s.last == "..." {
		s.fail(start, `Expected "on", a name or "{", found a string`)
		return
	}
	out, copied := s.out, s.copied
	var end, pad int
	if strings.HasPrefix(s.text[start:], blockQuotes) {
		end = endOfBlock(s.text, start+len(blockQuotes))
	} else {
		end, pad = s.characters(start + 1)
	}
	switch {
	case end < 0:
		s.at = len(s.text)
		s.tokens++
	case s.describes(end):
		// Spaces replace the whole description, so the changes inside the string are dropped.
		s.out, s.copied = out, copied
		s.change(start, end, strings.Map(toSpace, s.text[start:end]))
		s.at = end
	default:
		s.token(end)
		s.separate(pad)
	}
}

// separate adds pad spaces after a string, because its normalized text is shorter by pad
// characters. If pad is not positive and another string follows directly, it adds one space:
// without the space, gqlparser would take the quotes of that string as part of this one.
func (s *scanner) separate(pad int) {
	if pad <= 0 && strings.HasPrefix(s.text[s.at-1:], `""`) {
		pad = 1
	}
	if pad > 0 {
		s.change(s.at, s.at, strings.Repeat(" ", pad))
	}
}

// endOfBlock returns the index after the block string whose content begins at i, or -1 if the
// string does not end.
func endOfBlock(text string, i int) int {
	for i < len(text) {
		rest := text[i:]
		switch {
		case strings.HasPrefix(rest, `\`+blockQuotes):
			i += len(`\` + blockQuotes)
		case strings.HasPrefix(rest, blockQuotes):
			return i + len(blockQuotes)
		default:
			i++
		}
	}
	return -1
}

// characters reads the string whose content begins at i, and rewrites its escape sequences for
// gqlparser. It returns the index after the string, or -1 if the string does not end on its line or
// an escape sequence is invalid. It also returns by how many characters the string became shorter.
func (s *scanner) characters(i int) (end, shorter int) {
	for i < len(s.text) {
		switch s.text[i] {
		case '"':
			return i + 1, shorter
		case '\n', '\r':
			return -1, 0
		case '\\':
			length, written := s.escape(i)
			if s.err != nil {
				return -1, 0
			}
			if written != "" {
				s.change(i, i+length, written)
				shorter += length - utf8.RuneCountInString(written)
			}
			i += length
		default:
			i++
		}
	}
	return -1, 0
}

// escape returns the length of the escape sequence at i. written is the text that has to replace
// the sequence, or "" if gqlparser reads the sequence correctly.
func (s *scanner) escape(i int) (length int, written string) {
	rest := s.text[i:]
	switch {
	case strings.HasPrefix(rest, `\u{`):
		return s.braced(i)
	case len(rest) > 1 && strings.IndexByte(`"\/bfnrt`, rest[1]) >= 0:
		return len(`\n`), ""
	}
	first, ok := unit(rest)
	switch {
	case !ok:
		s.fail(i, `Invalid escape sequence: \", \\, \/, \b, \f, \n, \r, \t, \u with four hexadecimal digits, and \u{…} are allowed`)
		return 0, ""
	case !utf16.IsSurrogate(first):
		return unitLength, ""
	}
	second, _ := unit(rest[unitLength:])
	r := utf16.DecodeRune(first, second)
	if r == utf8.RuneError {
		s.fail(i, `Invalid escape sequence: \u%04X is half of a character; write both halves, as in \uD83D\uDE00, or \u{1F600}`, first)
	}
	return 2 * unitLength, string(r)
}

// unitLength is the length of \u with four digits.
const unitLength = len(`\uFFFF`)

// unit returns the UTF-16 code unit at the beginning of text, which is written as \u with four
// digits. It returns false if text does not begin with one.
func unit(text string) (r rune, ok bool) {
	if len(text) < unitLength || text[:2] != `\u` {
		return 0, false
	}
	n, err := strconv.ParseUint(text[2:unitLength], 16, 16)
	return rune(n), err == nil
}

// braced returns the length of the escape sequence at i, which has the form \u{…}, and the text
// that has to replace it.
func (s *scanner) braced(i int) (length int, written string) {
	const open = len(`\u{`)
	digits, _, closed := strings.Cut(s.text[i+open:], "}")
	n, err := strconv.ParseUint(digits, 16, 32)
	if !closed || err != nil || n > utf8.MaxRune || !utf8.ValidRune(rune(n)) {
		s.fail(i, `Invalid escape sequence: between \u{ and } there must be the number of a character in hexadecimal digits, as in \u{1F600}`)
		return 0, ""
	}
	return open + len(digits) + len("}"), inString(rune(n))
}

// inString returns a character as it can be written between quotes: escaped if it has to be.
func inString(r rune) string {
	switch {
	case r == '"' || r == '\\':
		return `\` + string(r)
	case r == '\n':
		return `\n`
	case r == '\r':
		return `\r`
	case r < ' ' && r != '\t':
		return fmt.Sprintf(`\u%04X`, r)
	}
	return string(r)
}

// describes reports whether the string that ends at end is the description of an operation, a
// fragment or a variable. gqlparser does not support these descriptions.
func (s *scanner) describes(end int) bool {
	next := s.text[ignoredUntil(s.text, end):]
	if s.depth == 0 && s.inside == 0 {
		switch next[:nameLength(next)] {
		case "query", "mutation", "subscription", "fragment":
			return true
		}
	}
	return s.depth == 1 && s.parameters && s.last != "=" && s.last != ":" && strings.HasPrefix(next, "$")
}

// toSpace returns line breaks unchanged, and a space for every other character.
func toSpace(r rune) rune {
	if r == '\n' || r == '\r' {
		return r
	}
	return ' '
}
