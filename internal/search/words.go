// Package search finds rows by the words in their texts. Both databases keep the words of the
// columns that an entity declares, and find rows by how words begin. The package says what a word
// is, and which objects of the database keep the words; see Index.
package search

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"unicode"

	"entgo.io/ent/dialect"
	"github.com/lib/pq"
	"golang.org/x/text/unicode/norm"
	"golang.org/x/text/unicode/rangetable"
)

// These bound the text of a search. A word of the text is never longer than what the databases keep
// of a word.
const (
	MaxBytes = 256
	MaxWords = 10
)

// Words returns the different words of the text of a search, in order. It returns an error, with a
// text for the client, if there is none, or if the text is too long.
func Words(text string) ([]string, error) {
	if len(text) > MaxBytes {
		return nil, fmt.Errorf("the text has %d bytes; a search takes at most %d", len(text), MaxBytes)
	}
	var words []string
	for _, word := range Split(norm.NFC.String(text)) {
		if !slices.Contains(words, word) {
			words = append(words, word)
		}
	}
	switch {
	case len(words) == 0:
		return nil, errors.New("there is no word in the text; a word consists of letters and digits, and a search needs at least one")
	case len(words) > MaxWords:
		return nil, fmt.Errorf("the text has %d words; a search takes at most %d", len(words), MaxWords)
	}
	return words, nil
}

// weight is how much more a word of one column counts than one of the next. It is more than
// MaxWords, so words of a later column never outweigh one of an earlier one.
const weight = 16

// Relevance returns how well the texts of a row fit the words of a search. The more of the words
// are whole words of the first text, the higher it is. If these numbers are the same, those of the
// second text decide, and so on.
func Relevance(words, texts []string) (relevance int64) {
	for _, text := range texts {
		whole := Split(text)
		relevance *= weight
		for _, word := range words {
			if slices.Contains(whole, word) {
				relevance++
			}
		}
	}
	return relevance
}

// RelevanceFunction is the name of Relevance on SQLite. Its arguments are List of the words, and
// the texts.
const RelevanceFunction = "forge_relevance"

// Query returns the argument with which a database looks for words: each has to be the beginning of
// a word of the row. Words have no characters that mean something in it.
func Query(name string, words []string) string {
	if name == dialect.SQLite {
		return `"` + strings.Join(words, `" * AND "`) + `" *`
	}
	return "'" + strings.Join(words, "':* & '") + "':*"
}

// List returns words as an argument of a statement.
func List(name string, words []string) any {
	if name == dialect.SQLite {
		return strings.Join(words, " ")
	}
	return pq.Array(words)
}

// Split returns the words of a text in the form in which they are compared. Punctuation, symbols
// and spaces stand between words. Upper and lower case make no difference, nor do accents on Latin
// letters. FTS5 splits texts in this way, and PostgreSQL by a function that is made from it.
func Split(text string) (words []string) {
	var word strings.Builder
	end := func() {
		if word.Len() > 0 {
			words = append(words, word.String())
			word.Reset()
		}
	}
	for _, r := range text {
		switch folded := fold(r); {
		case separates(r):
			end()
		case folded != dropped:
			word.WriteRune(folded)
		}
	}
	end()
	return words
}

// known are the characters of Unicode 6.1, which FTS5 goes by. It takes later ones for letters.
var known = sync.OnceValue(func() *unicode.RangeTable { return rangetable.Assigned("6.1.0") })

// separates reports whether a character stands between words.
func separates(r rune) bool {
	return r == 0 || r == 0xfffe || r == 0xffff || unicode.In(r, unicode.P, unicode.S, unicode.Z, unicode.Cc, unicode.Cf) && unicode.Is(known(), r)
}

// dropped stands for a character that is left out of a word.
const dropped = -1

// marks are the accents that are left out of words.
const marks = "\u0300\u0301\u0302\u0303\u0304\u0306\u0307\u0308\u0309\u030a\u030b\u030c\u030f\u0311\u031b" +
	"\u0323\u0324\u0325\u0326\u0327\u0328\u032d\u032e\u0330\u0331"

// fold returns the character that stands for r in a word, or dropped.
func fold(r rune) rune {
	switch {
	case r < unicode.MaxASCII || !unicode.Is(known(), r):
		if 'A' <= r && r <= 'Z' {
			r += 'a' - 'A'
		}
		return r
	case strings.ContainsRune(marks, r):
		return dropped
	case r == 'ı':
		return r
	}
	lower := unicode.ToLower(r)
	if folded := unicode.ToLower(unicode.ToUpper(r)); unicode.Is(known(), folded) {
		lower = folded
	}
	if !unicode.Is(known(), lower) {
		return r
	}
	if letters := []rune(norm.NFD.String(string(lower))); len(letters) > 1 && 'a' <= letters[0] && letters[0] <= 'z' && lower != 'ǡ' {
		return letters[0]
	}
	return lower
}
