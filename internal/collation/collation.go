// Package collation orders texts as people of a language read them, on both databases. PostgreSQL
// has ICU for it, and SQLite calls golang.org/x/text. Their tables are of different age: letters
// that a language does not use, and texts in several scripts, may be in another order.
package collation

import (
	"slices"
	"strings"
	"sync"

	"entgo.io/ent/dialect"
	"golang.org/x/text/collate"
	"golang.org/x/text/language"
)

// languages are the tags of BCP 47 whose alphabets ICU and x/text put in the same order. Danish and
// Maltese are not among them: ICU has capital letters first there, and x/text has not.
var languages = strings.Fields("und af az be bg bs ca cs cy de el en eo es et eu fa fi fil fo fr ga gl he hi hr hu hy id is it kk lb " +
	"lt lv mk ms nb nl nn pl pt ro ru sk sl sq sr sv sw tr uk vi")

// Languages returns the tags of the languages that there are collations of. The tag und stands for
// no language in particular.
func Languages() []string { return slices.Clone(languages) }

// Known reports whether there is a collation of the language.
func Known(tag string) bool { return slices.Contains(languages, tag) }

// SQL returns what follows a column to compare it by the collation of a known language.
func SQL(db, tag string) string {
	if db == dialect.SQLite {
		return " COLLATE " + Name(tag)
	}
	return ` COLLATE "` + tag + `-x-icu"`
}

// Name returns the name that package database gives to the collation of a language on SQLite.
func Name(tag string) string { return "forge_" + tag }

// Comparer returns the function that compares two texts by the collation of a known language. Texts
// that are equal to the language are compared by their code points, as PostgreSQL does, so that two
// texts are equal only if they are the same.
func Comparer(tag string) func(a, b string) int {
	of := language.MustParse(tag)
	collators := sync.Pool{New: func() any { return collate.New(of) }} // one cannot be used twice at a time
	return func(a, b string) int {
		c := collators.Get().(*collate.Collator)
		defer collators.Put(c)
		if n := c.CompareString(a, b); n != 0 {
			return n
		}
		return strings.Compare(a, b)
	}
}
