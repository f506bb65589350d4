package read

import (
	"encoding/hex"

	"github.com/google/uuid"
)

// uuidArray writes keys as PostgreSQL reads an array of them.
func uuidArray(keys []uuid.UUID) string {
	b := make([]byte, 0, 2+37*len(keys))
	b = append(b, '{')
	for i, key := range keys {
		if i > 0 {
			b = append(b, ',')
		}
		b = hex.AppendEncode(b, key[:])
	}
	return string(append(b, '}'))
}

// hexList writes keys as a JSON list of hexadecimal texts, for SQLite's json_each and unhex.
func hexList(keys []uuid.UUID) string {
	b := make([]byte, 0, 2+35*len(keys))
	b = append(b, '[')
	for i, key := range keys {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, '"')
		b = hex.AppendEncode(b, key[:])
		b = append(b, '"')
	}
	return string(append(b, ']'))
}
