package syntax

import (
	"strings"
	"unicode/utf8"
)

// ignored reports whether a character only separates tokens and has no meaning of its own.
func ignored(c byte) bool { return c == ' ' || c == '\t' || c == ',' || c == '\n' || c == '\r' }

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func isNameStart(c byte) bool { return c == '_' || 'a' <= c|0x20 && c|0x20 <= 'z' }

// nameLength returns the length of the name at the beginning of text, or 0 if there is no name.
func nameLength(text string) int {
	for i := range len(text) {
		if !isNameStart(text[i]) && !(i > 0 && isDigit(text[i])) {
			return i
		}
	}
	return len(text)
}

// numberLength returns the length of the number at the beginning of text. The number need not be
// valid: "1.e" counts with its three characters.
func numberLength(text string) int {
	rest := strings.TrimPrefix(text, "-")
	rest = skipDigits(rest)
	if fraction, ok := strings.CutPrefix(rest, "."); ok {
		rest = skipDigits(fraction)
	}
	if rest != "" && rest[0]|0x20 == 'e' {
		rest = rest[1:]
		if rest != "" && (rest[0] == '+' || rest[0] == '-') {
			rest = rest[1:]
		}
		rest = skipDigits(rest)
	}
	return len(text) - len(rest)
}

func skipDigits(text string) string { return strings.TrimLeft(text, "0123456789") }

// endOfLine returns the index of the line break that ends the line at i, or the length of text if
// there is none.
func endOfLine(text string, i int) int {
	if n := strings.IndexAny(text[i:], "\n\r"); n >= 0 {
		return i + n
	}
	return len(text)
}

// ignoredUntil skips white space, commas and comments from i on. It returns the index of the next
// token, or the length of text if there is none.
func ignoredUntil(text string, i int) int {
	for i < len(text) {
		switch {
		case ignored(text[i]):
			i++
		case strings.HasPrefix(text[i:], byteOrderMark):
			i += len(byteOrderMark)
		case text[i] == '#':
			i = endOfLine(text, i)
		default:
			return i
		}
	}
	return i
}

// Position returns the line and the column of the byte at index at. Both count from 1, and columns
// are counted in characters.
func Position(text string, at int) (line, column int) {
	line, start := 1, 0
	for i := range at {
		if text[i] == '\n' || text[i] == '\r' && !strings.HasPrefix(text[i:], "\r\n") {
			line, start = line+1, i+1
		}
	}
	return line, utf8.RuneCountInString(text[start:at]) + 1
}
