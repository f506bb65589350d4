package read

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"hash/fnv"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"forge/internal/entity"
)

// A cursor holds what places its row in the order: a fingerprint of the order itself, then each term's value, then the
// key. Four bytes, then for each term a length (one more than the value's, 0 for NULL) and the value as text, then 16 bytes.

var errCursor = errors.New("this is not a cursor of this list: take one from edges or pageInfo, and keep orderBy as it was")

// fingerprint tells orders apart, so that a cursor is not mistaken for one of another list.
func fingerprint(o *object, terms []term) uint32 {
	h := fnv.New32a()
	_, _ = h.Write([]byte(o.Name))
	for _, t := range terms {
		_, _ = h.Write([]byte("|" + t.column + strconv.FormatBool(t.desc)))
	}
	return h.Sum32()
}

// appendCursor appends the cursor of a row, given the columns that hold the terms.
func appendCursor(b []byte, print uint32, t *table, row int, columns []int) []byte {
	var space [128]byte
	raw := binary.BigEndian.AppendUint32(space[:0], print)
	last := len(columns) - 1
	for _, column := range columns[:last] {
		value, null := t.cell(row, column)
		if null {
			raw = append(raw, 0)
			continue
		}
		raw = append(binary.AppendUvarint(raw, uint64(len(value))+1), value...)
	}
	key, _ := t.cell(row, columns[last])
	return base64.RawURLEncoding.AppendEncode(b, append(raw, key...))
}

// parseCursor returns the values of a cursor's terms.
func parseCursor(text string, print uint32, terms []term) ([]any, error) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || strings.ContainsAny(text, "\r\n") || // which base64 passes over
		len(raw) < 4 || binary.BigEndian.Uint32(raw) != print {
		return nil, errCursor
	}
	raw = raw[4:]
	values := make([]any, len(terms))
	last := len(terms) - 1
	for i, t := range terms[:last] {
		size, n := binary.Uvarint(raw)
		if n <= 0 || size > uint64(len(raw)-n)+1 || size == 0 && !t.nullable {
			return nil, errCursor
		}
		raw = raw[n:]
		if size == 0 {
			continue
		}
		if values[i], err = t.parse(raw[:size-1]); err != nil {
			return nil, errCursor
		}
		raw = raw[size-1:]
	}
	key, err := uuid.FromBytes(raw)
	if err != nil {
		return nil, errCursor
	}
	values[last] = key
	return values, nil
}

func (t term) parse(value []byte) (any, error) {
	switch t.kind {
	case entity.Int:
		return strconv.ParseInt(string(value), 10, 32)
	case entity.Time:
		return time.Parse(time.RFC3339Nano, string(value))
	case entity.String, entity.Enum:
		for _, c := range value {
			if c == 0 {
				return nil, errCursor
			}
		}
		if !utf8.Valid(value) {
			return nil, errCursor
		}
		return string(value), nil
	}
	return nil, errCursor
}
