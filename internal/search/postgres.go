package search

import (
	"fmt"
	"strings"
	"sync"
	"unicode"

	"forge/internal/migrator/catalog"
)

// longestWord is how many characters of a word PostgreSQL keeps. It refuses words of more than
// 2,047 bytes. A word that is cut is longer than any word of a search.
const longestWord = MaxBytes + 1

// wordsFunction returns the function that splits texts on PostgreSQL as Split does. It folds
// letters by lists of its own: those of lower() depend on the database's collation, and on the
// versions of libraries.
//
// It is not written in SQL, so that PostgreSQL does not copy it into queries, and knows its cost.
var wordsFunction = sync.OnceValue(func() catalog.Object {
	var body strings.Builder
	for _, group := range groups {
		fmt.Fprintf(&body, "    IF words ~ '[%s]' THEN\n", class(group))
		from, to := changes(group)
		fmt.Fprintf(&body, "      words := translate(words, '%s', '%s');\n    END IF;\n", from, to)
	}
	return catalog.NewObject("words", "", fmt.Sprintf(`CREATE FUNCTION NAME(words text) RETURNS tsvector
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE COST 1000 AS $$
DECLARE
  list text[];
BEGIN
  words := lower(words COLLATE "C");
  IF octet_length(words) > length(words) THEN
%s  END IF;
  list := array_remove(regexp_split_to_array(words, '[%s]+'), '');
  IF length(words) > %[3]d THEN
    list := ARRAY(SELECT left(word, %[3]d) FROM unnest(list) AS word);
  END IF;
  RETURN array_to_tsvector(list);
END
$$`, body.String(), class(separators()), longestWord), "")
})

// A span is a range of characters, with both ends.
type span struct{ first, last rune }

// groups are the letters that are folded together: Latin, Greek and Cyrillic ones, and others. A
// text has letters of few groups, and translate takes longer for long lists.
var groups = [][]span{
	{{0x80, 0x24f}, {0x300, 0x36f}, {0x1e00, 0x1eff}},
	{{0x370, 0x3ff}, {0x1f00, 0x1fff}},
	{{0x400, 0x52f}},
	{{0x250, 0x2ff}, {0x530, 0x1dff}, {0x2000, unicode.MaxRune}},
}

// changes returns the letters of a group that are not as they are in words, and what they are in
// words. Those that are dropped come last.
func changes(group []span) (from, to string) {
	var last string
	for _, s := range group {
		for r := s.first; r <= s.last; r++ {
			switch folded := fold(r); {
			case folded == r || separates(r):
			case folded == dropped:
				last += string(r)
			default:
				from += string(r)
				to += string(folded)
			}
		}
	}
	return from + last, to
}

// class returns the inside of a class of a regular expression.
func class(spans []span) string {
	var b strings.Builder
	for _, s := range spans {
		b.WriteString(character(s.first))
		if s.first < s.last {
			b.WriteString("-" + character(s.last))
		}
	}
	return b.String()
}

// separators returns the characters that stand between words. PostgreSQL stores no zero character.
func separators() (spans []span) {
	for r := rune(1); r <= unicode.MaxRune; r++ {
		switch last := len(spans) - 1; {
		case !separates(r):
		case last >= 0 && spans[last].last == r-1:
			spans[last].last = r
		default:
			spans = append(spans, span{r, r})
		}
	}
	return spans
}

// character returns a character as an escape of a regular expression.
func character(r rune) string {
	if r > 0xffff {
		return fmt.Sprintf(`\U%08x`, r)
	}
	return fmt.Sprintf(`\u%04x`, r)
}
