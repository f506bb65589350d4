package scalar

import (
	"encoding/base64"
	"strings"
	"unicode/utf8"

	"github.com/99designs/gqlgen/graphql"
	"github.com/google/uuid"
)

// UnmarshalText reads a text that both databases can store.
func UnmarshalText(value any) (string, error) {
	text, ok := value.(string)
	if !ok || !isText(text) {
		return "", invalid("this is not a text that can be compared: it holds a zero character or is not UTF-8")
	}
	return text, nil
}

func isText(text string) bool { return strings.IndexByte(text, 0) < 0 && utf8.ValidString(text) }

// UnmarshalBytes reads bytes from base64 with padding (RFC 4648, section 4).
func UnmarshalBytes(value any) ([]byte, error) {
	text, ok := value.(string)
	b, err := base64.StdEncoding.Strict().DecodeString(text)
	if !ok || err != nil || strings.ContainsAny(text, "\r\n") {
		return nil, invalid("%s is not base64: RFC 4648, with padding and without line breaks", quoted(value))
	}
	return b, nil
}

// MarshalBytes writes bytes in base64.
func MarshalBytes(value []byte) graphql.Marshaler { return written(AppendBytes(nil, value)) }

// AppendBytes appends bytes in base64.
func AppendBytes(b, value []byte) []byte {
	return append(base64.StdEncoding.AppendEncode(append(b, '"'), value), '"')
}

// UnmarshalUUID reads a UUID, in the form of RFC 9562.
func UnmarshalUUID(value any) (uuid.UUID, error) {
	text, _ := value.(string)
	id, err := uuid.Parse(text)
	if err != nil || len(text) != len("01890a5d-ac96-774b-bcce-b302099a8057") {
		return uuid.UUID{}, invalid("%s is not a UUID: one looks like 01890a5d-ac96-774b-bcce-b302099a8057", quoted(value))
	}
	return id, nil
}

// MarshalUUID writes a UUID in lower case.
func MarshalUUID(id uuid.UUID) graphql.Marshaler { return written([]byte(`"` + id.String() + `"`)) }

// AppendUUID appends a UUID from its 16 bytes, or from its text. It returns false for anything
// else.
func AppendUUID(b, value []byte) ([]byte, bool) {
	id, err := uuid.FromBytes(value)
	if err != nil {
		id, err = UnmarshalUUID(string(value))
	}
	return append(append(append(b, '"'), id.String()...), '"'), err == nil
}
