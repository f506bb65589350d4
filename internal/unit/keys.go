package unit

import (
	"encoding/binary"
	"encoding/hex"

	"github.com/google/uuid"
)

// uuidType is the OID of PostgreSQL's type uuid.
const uuidType = 2950

// uuidArray returns keys in PostgreSQL's binary format of arrays: the number of dimensions, whether
// there are NULLs, the element type, the length and the first index, followed by the size and the
// bytes of each key. PostgreSQL would take longer to parse a text array than to find the rows.
func uuidArray(keys []uuid.UUID) []byte {
	b := make([]byte, 0, 20+20*len(keys))
	for _, word := range []uint32{1, 0, uuidType, uint32(len(keys)), 1} {
		b = binary.BigEndian.AppendUint32(b, word)
	}
	for _, key := range keys {
		b = append(binary.BigEndian.AppendUint32(b, uint32(len(key))), key[:]...)
	}
	return b
}

// hexList returns keys as a JSON array of hexadecimal strings, for SQLite's json_each and unhex.
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
