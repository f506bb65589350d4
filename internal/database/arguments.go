package database

import (
	"database/sql/driver"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"

	"github.com/google/uuid"
)

// CheckNamedValue converts an argument to a type that the driver accepts. A UUID becomes its 16
// bytes. A list of UUIDs becomes an array on PostgreSQL, and a JSON text on SQLite. A JSON document
// becomes a text on PostgreSQL, which would take bytes for the binary form of jsonb.
func (c *conn) CheckNamedValue(v *driver.NamedValue) error {
	switch key := v.Value.(type) {
	case uuid.UUID:
		v.Value = key[:]
		return nil
	case *uuid.UUID:
		if key != nil {
			v.Value = key[:]
			return nil
		}
	case json.RawMessage:
		if !c.sqlite && key != nil {
			v.Value = string(key)
			return nil
		}
	case []uuid.UUID:
		if c.sqlite {
			v.Value = hexList(key)
		} else {
			v.Value = uuidArray(key)
		}
		return nil
	}
	if checker, ok := c.rawConn.(driver.NamedValueChecker); ok {
		return checker.CheckNamedValue(v)
	}
	return driver.ErrSkip
}

// uuidType is the OID of PostgreSQL's type uuid.
const uuidType = 2950

// uuidArray returns keys in PostgreSQL's binary format of an array: the number of dimensions,
// whether there are NULLs, the element type, the length and the first index, and then the size and
// the bytes of each key. Parsing a text array would take PostgreSQL longer than finding the rows.
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
