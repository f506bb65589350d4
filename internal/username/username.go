// Package username says what users may be called: by the Nickname profile of PRECIS (RFC 8266), which is for names that people choose and see, blanks
// and all. It makes one name of those that Unicode takes for the same, and has no room for what cannot be seen.
package username

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/secure/precis"
)

// Allowed says which names are allowed.
const Allowed = "letters, marks, digits, punctuation, symbols and blanks between them are allowed"

// written is how many characters may have been written for each that is stored: a letter with two accents is one, and was three. A bound keeps others from having us
// normalize whatever they send.
const written = 4

// Enforce returns the name in the form in which names are stored and compared: normalized (NFKC), without blanks around it, and with one at a time within.
// The error says what is not allowed about it; a name that is returned may still have more than most characters. Case counts.
func Enforce(name string, most int) (string, error) {
	name = strings.TrimSpace(name)
	if n := utf8.RuneCountInString(name); n > written*most {
		return "", fmt.Errorf("has %d characters; at most %d are allowed", n, most)
	}
	for _, r := range name {
		if Invisible(r) {
			return "", fmt.Errorf("has %U, which cannot be seen; %s", r, Allowed)
		}
	}
	enforced, err := precis.Nickname.String(name)
	if err != nil {
		return "", fmt.Errorf("has a character that is not assigned, or not one for names; %s", Allowed)
	}
	return enforced, nil
}

// Same returns the form that names have in common that are the same to Enforce, or the name itself if it is not allowed.
func Same(name string, most int) string {
	if enforced, err := Enforce(name, most); err == nil {
		return enforced
	}
	return name
}

// Invisible reports whether nothing is to be seen of a character, or all that is seen is what it does to its neighbours.
func Invisible(r rune) bool {
	const brailleBlank = '\u2800'
	return r == brailleBlank || unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}
