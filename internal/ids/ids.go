// Package ids formats and parses the IDs that clients see, such as user_01h455vb4pex5vsknk084sn02q.
// They are TypeIDs (https://github.com/jetify-com/typeid, version 0.3) of UUIDs of version 7. An ID
// names its type and is unique among the IDs of all types. IDs of one type sort by their time of
// creation.
package ids

import (
	"fmt"
	"io"
	"strings"

	"github.com/google/uuid"
)

// ID is the key of an entity, with the prefix that names its type. No entity has the zero ID.
type ID struct {
	Prefix string
	UUID   uuid.UUID
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

// Parse parses the text that String returns. Its error is a *MalformedError.
func Parse(s string) (ID, error) {
	prefix, suffix, ok := cutLast(s)
	if !ok || prefix == "" || len(suffix) != suffixLen || suffix[0] > '7' {
		return ID{}, malformed(s)
	}
	var u uuid.UUID
	var acc, bits uint
	n := 0
	// The 26 characters hold 130 bits. The first two bits are always zero, and the other 128 bits
	// are the UUID.
	for i := range suffixLen {
		v := values[suffix[i]]
		if v == 0xff {
			return ID{}, malformed(s)
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
	return ID{Prefix: prefix, UUID: u}, nil
}

func cutLast(s string) (before, after string, found bool) {
	i := strings.LastIndexByte(s, '_')
	if i < 0 {
		return "", "", false
	}
	return s[:i], s[i+1:], true
}

// MalformedError means that a text is not an ID.
type MalformedError struct{ text string }

func malformed(s string) error {
	if len(s) > 60 {
		s = strings.ToValidUTF8(s[:60], "") + "…"
	}
	return &MalformedError{s}
}

// Error returns the message for the client.
func (e *MalformedError) Error() string { return e.Wanted("user") }

// Wanted returns the message of Error, with an example of an ID that has the prefix.
func (e *MalformedError) Wanted(prefix string) string {
	return fmt.Sprintf("%q is not an ID: one looks like %s_01h455vb4pex5vsknk084sn02q", e.text, prefix)
}

// String returns the ID as clients see it.
func (id ID) String() string { return string(Append(nil, id.Prefix, id.UUID)) }

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
	b = append(Append(b, id.Prefix, id.UUID), '"')
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
