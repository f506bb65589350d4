// Package username validates and normalizes usernames by the Nickname profile of PRECIS (RFC 8266).
// The profile is made for names that people choose and see, and allows spaces. Names that Unicode
// treats as equivalent become the same name. Invisible characters are refused.
package username

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/secure/precis"
)

// Allowed describes the allowed characters, for error messages.
const Allowed = "letters, marks, digits, punctuation, symbols and blanks between them are allowed"

// expansion is the most characters of input for each stored character: a letter with two combining
// accents is three in the input, and one when stored. It limits the input that is normalized.
const expansion = 4

// Enforce returns the name in the form that is stored and compared: normalized (NFKC), without
// surrounding spaces, and with single spaces inside. Case is kept. The error says what is wrong
// with the name. Enforce does not check that the returned name has at most most characters.
func Enforce(name string, most int) (string, error) {
	name = strings.TrimSpace(name)
	if n := utf8.RuneCountInString(name); n > expansion*most {
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

// Same returns the form of a name that Enforce returns, or the name itself if it is not allowed.
func Same(name string, most int) string {
	if enforced, err := Enforce(name, most); err == nil {
		return enforced
	}
	return name
}

// Invisible reports whether a character has no shape of its own: it shows nothing, or only changes
// how its neighbours look.
func Invisible(r rune) bool {
	const brailleBlank = '\u2800'
	return r == brailleBlank || unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp,
		unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}
