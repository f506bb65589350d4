// Package username validates and normalizes usernames with the Nickname profile of PRECIS (RFC
// 8266). The profile is for names that people choose and see, and allows spaces. If Unicode treats
// two names as equivalent, they are the same name. Invisible characters are not allowed.
package username

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/secure/precis"

	"forge/internal/message"
)

// Allowed describes the allowed characters, for error messages.
const Allowed = "letters, marks, digits, punctuation, symbols and blanks between them are allowed"

// expansion is how many characters of the input may become one stored character. For example, a
// letter with two combining accents has three characters in the input, and one when stored. It
// limits the length of the input that is normalized.
const expansion = 4

// Enforce returns a name in the form that is stored and compared: normalized (NFKC), without spaces
// around it, and with single spaces inside. Upper and lower case stay as they are. The error says
// what is wrong with the name. The returned name may still have more than most characters: most
// only limits the length of the input.
func Enforce(name string, most int) (string, error) {
	name = strings.TrimSpace(name)
	if n := utf8.RuneCountInString(name); n > expansion*most {
		return "", message.New("has %d characters; at most %d are allowed", n, most)
	}
	for _, r := range name {
		if Invisible(r) {
			return "", message.New("has %U, which cannot be seen; "+Allowed, r)
		}
	}
	enforced, err := precis.Nickname.String(name)
	if err != nil {
		return "", message.New("has a character that is not assigned, or not one for names; " + Allowed)
	}
	return enforced, nil
}

// Same returns what Enforce returns, or the name itself if Enforce refuses it.
func Same(name string, most int) string {
	if enforced, err := Enforce(name, most); err == nil {
		return enforced
	}
	return name
}

// Invisible reports whether a character has no shape of its own: it shows nothing, or only changes
// the look of the characters beside it.
func Invisible(r rune) bool {
	const brailleBlank = '\u2800'
	return r == brailleBlank || unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp,
		unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}

// fallback is the name of those of whom nothing else is known.
const fallback = "user"

// Made returns a name of at most most characters that is made of any text, such as one that
// somebody has elsewhere. It is a name that Enforce accepts, without an @.
func Made(text string, most int) string {
	text, _, _ = strings.Cut(text, "@")
	name, err := Enforce(cutTo(text, most), most)
	if err != nil || name == "" || utf8.RuneCountInString(name) > most {
		return fallback
	}
	return name
}

// Numbered returns a name of at most most characters that begins with a name and ends with a random
// number.
func Numbered(name string, most int) string {
	number := fmt.Sprintf("-%06d", rand.IntN(1_000_000))
	return strings.TrimSpace(cutTo(name, most-len(number))) + number
}

// cutTo returns the first n characters of a text.
func cutTo(text string, n int) string {
	if utf8.RuneCountInString(text) <= n {
		return text
	}
	return string([]rune(text)[:n])
}
