// Package email parses mail addresses, and compares them regardless of case, of Unicode form, and
// of whether the domain is written in letters or in Punycode.
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

// maxDomain is the most bytes of a domain that are decoded. The time that Punycode takes grows with
// the square of the length.
const maxDomain = 1024

var errNoAddress = errors.New("is not a mail address such as ada@example.com")

// Parse returns an address in the form that is stored: with composed letters (NFC), as RFC 6532
// recommends. The error's text continues a sentence that begins with the argument's name.
func Parse(text string) (string, error) {
	text = norm.NFC.String(text)
	parsed, err := mail.ParseAddress(text)
	if err != nil || parsed.Name != "" || parsed.Address != text || strings.ContainsFunc(text, username.Invisible) {
		return "", errNoAddress
	}
	if _, domain := cut(text); len(domain) > maxDomain || international(domain) && !valid(domain) {
		return "", errNoAddress
	}
	return text, nil
}

// Key returns a form that is the same for all spellings of an address. The text need not be an
// address: logins are compared by their keys as well.
func Key(text string) string {
	local, domain := cut(entity.Fold(text))
	if international(domain) && len(domain) <= maxDomain {
		if letters, err := idna.Lookup.ToUnicode(domain); err == nil {
			domain = entity.Fold(letters)
		}
	}
	return local + domain
}

// FormerKey returns the key as Forge's first version made it, by case folding alone. Stored rows
// may still have such keys.
func FormerKey(text string) string { return cases.Fold().String(text) }

// cut splits a text after its last @. Without an @, the domain is "".
func cut(text string) (local, domain string) {
	i := strings.LastIndexByte(text, '@') + 1
	if i == 0 {
		return text, ""
	}
	return text[:i], text[i:]
}

// international reports whether a domain has letters outside of ASCII, or their Punycode.
func international(domain string) bool {
	beyondASCII := func(r rune) bool { return r > unicode.MaxASCII }
	return strings.ContainsFunc(domain, beyondASCII) || strings.Contains(strings.ToLower(domain), "xn--")
}

func valid(domain string) bool {
	_, err := idna.Lookup.ToASCII(domain)
	return err == nil
}
