package read

import (
	"encoding/binary"
	"errors"
	"hash/fnv"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"forge/internal/entity"
)

// A cursor holds what places its row in the order: each term's value, then the key. For each term it is a length (one more than the value's, 0 for
// NULL) and the value as text, then 16 bytes. It is sealed, for the order alone: who has a cursor need not be one who may see these values, or have
// others compared with values of their own.

var errCursor = errors.New("this is not a cursor of this list: take one from edges or pageInfo, and keep orderBy as it was")

// fingerprint tells orders apart. A cursor is sealed for one, so that it is not taken for one of another list.
func fingerprint(o *object, terms []term) uint32 {
	h := fnv.New32a()
	_, _ = h.Write([]byte(o.Name))
	for _, t := range terms {
		_, _ = h.Write([]byte("|" + t.column + strconv.FormatBool(t.desc)))
	}
	return h.Sum32()
}

// appendCursor appends the cursor of a row, given the columns that hold the terms.
func (e *Engine) appendCursor(b []byte, print uint32, t *table, row int, columns []int) []byte {
	var space [128]byte
	raw := space[:0]
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
	return e.cursors.Append(b, print, append(raw, key...))
}

// parseCursor returns the values of a cursor's terms.
func (e *Engine) parseCursor(text string, print uint32, terms []term) ([]any, error) {
	raw, err := e.cursors.Open(text, print)
	if err != nil {
		return nil, errCursor
	}
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
		return strconv.ParseInt(string(value), 10, 64) // a row past 32 bits has its place, though it is not shown
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
