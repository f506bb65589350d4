// Package email parses and compares mail addresses. Two addresses are the same if they differ only
// in upper and lower case, in the Unicode form of their letters, or in whether the domain is in
// Punycode.
package email

import (
	"net/mail"
	"strings"
	"unicode"

	"golang.org/x/net/idna"
	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"forge/internal/entity"
	"forge/internal/message"
	"forge/internal/username"
)

// maxDomain is the length in bytes up to which a domain is decoded. Longer ones are not, because
// the time that Punycode takes grows with the square of the length.
const maxDomain = 1024

var errNoAddress = message.New("is not a mail address such as ada@example.com")

// Parse returns an address in the form in which it is stored: with composed letters (NFC), as RFC
// 6532 recommends. It returns an error if the text is not an address. The error does not name the
// argument: the caller puts the name in front of it.
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

// Key returns a text that is the same for all spellings of an address. Key also accepts a text that
// is not an address, because usernames are compared by their keys as well.
func Key(text string) string {
	local, domain := cut(entity.Fold(text))
	if international(domain) && len(domain) <= maxDomain {
		if letters, err := idna.Lookup.ToUnicode(domain); err == nil {
			domain = entity.Fold(letters)
		}
	}
	return local + domain
}

// Same reports whether mails to two addresses go to the same mailbox. Unlike Key, it only
// disregards case, and how a domain is written: "ss" and "ß" have the same key, and may be of
// different people.
func Same(a, b string) bool { return mailbox(a) == mailbox(b) }

// mailbox returns an address with lower-case letters of ASCII, and with its domain as DNS has it.
func mailbox(text string) string {
	local, domain := cut(norm.NFC.String(text))
	if international(domain) && len(domain) <= maxDomain {
		if name, err := idna.Lookup.ToASCII(domain); err == nil {
			domain = name
		}
	}
	return lower(local) + lower(domain)
}

// lower returns a text with lower-case letters of ASCII. Other letters stay as they are.
func lower(text string) string {
	return strings.Map(func(c rune) rune {
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		return c
	}, text)
}

// FormerKey returns the key of an address as the first version of Forge made it: only with case
// folding. Stored rows may still have such keys.
func FormerKey(text string) string { return cases.Fold().String(text) }

// cut splits a text after its last @. If there is no @, the domain is "".
func cut(text string) (local, domain string) {
	i := strings.LastIndexByte(text, '@') + 1
	if i == 0 {
		return text, ""
	}
	return text[:i], text[i:]
}

// international reports whether a domain has characters outside of ASCII, even if they are written
// in Punycode.
func international(domain string) bool {
	beyondASCII := func(r rune) bool { return r > unicode.MaxASCII }
	return strings.ContainsFunc(domain, beyondASCII) || strings.Contains(strings.ToLower(domain), "xn--")
}

func valid(domain string) bool {
	_, err := idna.Lookup.ToASCII(domain)
	return err == nil
}
