// Package ids formats and parses the IDs that clients see. An ID consists of a prefix, which names
// its type, and a key. It is unique among the IDs of all types.
//
//   - Of a key that is a UUID, the ID is a TypeID (https://github.com/jetify-com/typeid, version
//     0.3), such as user_01h455vb4pex5vsknk084sn02q. IDs of UUIDs of version 7 sort by their time
//     of creation.
//   - Of a key that is a whole number, the ID has the number: track_42. There are no leading zeros.
//   - Of a key that is a text, the ID has the text in UTF-8, where all bytes but A-Z a-z 0-9 . ~ -
//     are percent-encoded with upper-case digits: genre_Drum%20%26%20Bass. If the result would be
//     the end of a TypeID, its first character is encoded as well.
package ids

import (
	"fmt"
	"io"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/google/uuid"

	"forge/internal/message"
)

// ID is the key of an entity, with the prefix that names its type. No entity has the zero ID. If
// the key is no UUID, Text is the key, as it is stored: a number in decimal digits, or a text.
type ID struct {
	Prefix string
	UUID   uuid.UUID
	Text   string
}

// Form says what the keys of an entity are.
type Form int

// These are the forms of keys.
const (
	UUID   Form = iota
	Number      // a whole number of up to 64 bits
	Text        // a text that is not empty
)

// Key is the key of a row, without a prefix. Text is used as in ID. Keys can be compared.
type Key struct {
	UUID uuid.UUID
	Text string
}

// OfNumber returns the ID of an entity whose key is a number.
func OfNumber(prefix string, n int64) ID { return ID{Prefix: prefix, Text: strconv.FormatInt(n, 10)} }

// OfText returns the ID of an entity whose key is a text.
func OfText(prefix, text string) ID { return ID{Prefix: prefix, Text: text} }

// Key returns the key in the ID. It returns false if the key is of another form.
func (id ID) Key(of Form) (Key, bool) {
	switch of {
	case UUID:
		return Key{UUID: id.UUID}, id.Text == ""
	case Number:
		_, ok := id.Int()
		return Key{Text: id.Text}, ok
	default:
		return Key{Text: id.Text}, id.Text != ""
	}
}

// Int returns the key in the ID if it is a number.
func (id ID) Int() (n int64, ok bool) {
	n, err := strconv.ParseInt(id.Text, 10, 64)
	return n, err == nil && strconv.FormatInt(n, 10) == id.Text
}

// Value returns the key in the ID as the argument of a statement: a UUID or a text. Both databases
// also compare a text with a column of numbers.
func (id ID) Value() any {
	if id.Text == "" {
		return id.UUID
	}
	return id.Text
}

const suffixLen = 26

// alphabet is Crockford's base 32 in lower case, as the TypeID specification demands.
const alphabet = "0123456789abcdefghjkmnpqrstvwxyz"

var values = func() (v [256]byte) {
	for i := range v {
		v[i] = 0xff
	}
	for i := range len(alphabet) {
		v[alphabet[i]] = byte(i)
	}
	return v
}()

// These bound how many bytes an ID has at most.
const (
	maxPrefix = 63 // of TypeIDs
	maxText   = 4 << 10
)

// Parse parses the text that String returns. Its error is a *MalformedError.
func Parse(s string) (ID, error) {
	prefix, suffix, ok := cutLast(s)
	if !ok || prefix == "" || len(prefix) > maxPrefix || len(suffix) > maxText {
		return ID{}, malformed(s)
	}
	if u, ok := parseUUID(suffix); ok {
		return ID{Prefix: prefix, UUID: u}, nil
	}
	text, err := url.PathUnescape(suffix)
	if err != nil || !ValidText(text) || string(appendEscaped(nil, text)) != suffix {
		return ID{}, malformed(s)
	}
	return ID{Prefix: prefix, Text: text}, nil
}

// ValidText reports whether an ID can have the text as its key.
func ValidText[T []byte | string](text T) bool {
	return len(text) > 0 && utf8.ValidString(string(text)) && strings.IndexByte(string(text), 0) < 0
}

// parseUUID parses the part of a TypeID behind the prefix. It returns false if the text is none.
func parseUUID[T []byte | string](suffix T) (u uuid.UUID, ok bool) {
	if len(suffix) != suffixLen || suffix[0] > '7' {
		return u, false
	}
	var acc, bits uint
	n := 0
	// The 26 characters hold 130 bits. The first two bits are always zero, and the other 128 bits
	// are the UUID.
	for i := range suffixLen {
		v := values[suffix[i]]
		if v == 0xff {
			return u, false
		}
		acc, bits = acc<<5|uint(v), bits+5
		if i == 0 {
			bits -= 2
		}
		if bits >= 8 {
			bits -= 8
			u[n] = byte(acc >> bits)
			n++
		}
	}
	return u, true
}

func cutLast(s string) (before, after string, found bool) {
	i := strings.LastIndexByte(s, '_')
	if i < 0 {
		return "", "", false
	}
	return s[:i], s[i+1:], true
}

// MalformedError means that a text is not an ID, or not one of the wanted form.
type MalformedError struct{ text string }

func malformed(s string) *MalformedError {
	if len(s) > 60 {
		s = strings.ToValidUTF8(s[:60], "") + "…"
	}
	return &MalformedError{s}
}

// Prefix returns the prefix that the text begins with, or "".
func (e *MalformedError) Prefix() string {
	prefix, _, _ := cutLast(e.text)
	return prefix
}

// Malformed returns the error that an ID is not of the form that is wanted.
func Malformed(id ID) *MalformedError { return malformed(id.String()) }

// Error returns the message for the client.
func (e *MalformedError) Error() string { return e.Wanted("user", UUID).String() }

// examples are keys in IDs, by their form.
var examples = [...]string{UUID: "01h455vb4pex5vsknk084sn02q", Number: "42", Text: "Rock"}

// Wanted returns the message of Error, with an example of an ID that has the prefix and whose key
// is of the form.
func (e *MalformedError) Wanted(prefix string, of Form) message.Text {
	return message.New("%q is not an ID: one looks like %s_%s", e.text, prefix, examples[of])
}

// String returns the ID as clients see it.
func (id ID) String() string { return string(id.append(nil)) }

func (id ID) append(b []byte) []byte {
	if id.Text == "" {
		return Append(b, id.Prefix, id.UUID)
	}
	return AppendText(b, id.Prefix, id.Text)
}

// AppendText appends the text of an ID whose key is a number or a text to b.
func AppendText[T []byte | string](b []byte, prefix string, text T) []byte {
	return appendEscaped(append(append(b, prefix...), '_'), text)
}

const hexDigits = "0123456789ABCDEF"

// appendEscaped appends a text in its percent-encoded form.
func appendEscaped[T []byte | string](b []byte, text T) []byte {
	start := len(b)
	for i := range len(text) {
		b = appendByte(b, text[i], plain(text[i]))
	}
	if _, ok := parseUUID(b[start:]); ok {
		return append(appendByte(b[:start], text[0], false), string(text[1:])...)
	}
	return b
}

func appendByte(b []byte, c byte, plain bool) []byte {
	if plain {
		return append(b, c)
	}
	return append(b, '%', hexDigits[c>>4], hexDigits[c&15])
}

// plain reports whether a character of a text stands for itself in an ID.
func plain(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '.' || c == '~' || c == '-'
}

// Append appends the text of an ID to b.
func Append(b []byte, prefix string, u uuid.UUID) []byte {
	b = append(append(b, prefix...), '_')
	acc, bits := uint(u[0]), uint(8)
	b = append(b, alphabet[acc>>5]) // three bits, because the two bits before them are zero
	bits -= 3
	for i := 1; ; {
		for bits >= 5 {
			bits -= 5
			b = append(b, alphabet[acc>>bits&31])
		}
		if i == len(u) {
			return b
		}
		acc, bits = acc<<8|uint(u[i]), bits+8
		i++
	}
}

// MarshalGQL writes the ID as a JSON string.
func (id ID) MarshalGQL(w io.Writer) {
	b := append(make([]byte, 0, 48), '"')
	b = append(id.append(b), '"')
	_, _ = w.Write(b)
}

// UnmarshalGQL parses the ID in an argument. It returns an error if v is not an ID.
func (id *ID) UnmarshalGQL(v any) error {
	s, ok := v.(string)
	if !ok {
		return malformed(fmt.Sprint(v))
	}
	parsed, err := Parse(s)
	if err != nil {
		return err
	}
	*id = parsed
	return nil
}
