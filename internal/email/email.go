// Package email reads mail addresses, and says which of them are the same: whatever their case, the form that their
// letters were written in, and whether the domain is in letters or in Punycode.
package email

import (
	"errors"
	"net/mail"
	"strings"
	"unicode"

	"golang.org/x/net/idna"
	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"forge/internal/entity"
	"forge/internal/username"
)

// longest is how many bytes a domain may have to be looked at: Punycode takes a time that grows with the square of it.
const longest = 1024

var errNoAddress = errors.New("is not a mail address such as ada@example.com")

// Parse returns an address in the form in which it is stored: with composed letters (NFC), as RFC 6532 asks. The error
// goes on after the name of the argument.
func Parse(text string) (string, error) {
	text = norm.NFC.String(text)
	parsed, err := mail.ParseAddress(text)
	if err != nil || parsed.Name != "" || parsed.Address != text || strings.ContainsFunc(text, username.Invisible) {
		return "", errNoAddress
	}
	if _, domain := cut(text); len(domain) > longest || international(domain) && !valid(domain) {
		return "", errNoAddress
	}
	return text, nil
}

// Key returns what the spellings of one address have in common. It takes any text, such as a login.
func Key(text string) string {
	local, domain := cut(entity.Fold(text))
	if international(domain) && len(domain) <= longest {
		if letters, err := idna.Lookup.ToUnicode(domain); err == nil {
			domain = entity.Fold(letters)
		}
	}
	return local + domain
}

// FormerKey returns what Key was in the first version, which stored rows may still have: the text without regard to case.
func FormerKey(text string) string { return cases.Fold().String(text) }

// cut parts a text behind the last @; the domain is "" if there is none.
func cut(text string) (local, domain string) {
	i := strings.LastIndexByte(text, '@') + 1
	if i == 0 {
		return text, ""
	}
	return text[:i], text[i:]
}

// international reports whether a domain has letters that DNS does not have, or what stands for them there.
func international(domain string) bool {
	return strings.ContainsFunc(domain, func(r rune) bool { return r > unicode.MaxASCII }) || strings.Contains(strings.ToLower(domain), "xn--")
}

func valid(domain string) bool {
	_, err := idna.Lookup.ToASCII(domain)
	return err == nil
}
