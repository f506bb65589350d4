package rows

import (
	"encoding/binary"
	"errors"
	"slices"
	"strconv"

	"github.com/google/uuid"

	"forge/internal/apperr"
	"forge/internal/cursorcipher"
	"forge/internal/ids"
	"forge/internal/read/binding"
	"forge/internal/read/kind"
)

// A cursor holds the place of a row in an order: the row's value for each term, and at last its
// key. A value is written as its length plus one, as a varint, followed by its text. NULL is
// written as the length 0. The key has no length before it.
//
// All of it is encrypted, and bound to the order. Without this, clients could read values that they
// may not see, or write cursors to find out where such a value stands in the order.

var errCursor = errors.New("this is not a cursor of this list: take one from edges or pageInfo, and keep orderBy as it was")

// Cursors encodes and decodes cursors. It is safe for concurrent use.
type Cursors struct{ cipher *cursorcipher.Cipher }

// NewCursors returns Cursors that a cipher encrypts.
func NewCursors(cipher *cursorcipher.Cipher) *Cursors { return &Cursors{cipher} }

// Append appends the cursor of a row to b. columns are the table's columns that hold the
// order's terms, the key last.
func (c *Cursors) Append(b []byte, fingerprint uint32, terms []Term, t *Table, row int, columns []int) []byte {
	var space [128]byte
	raw := space[:0]
	last := len(columns) - 1
	for i, column := range columns[:last] {
		value, null := t.Cell(row, column)
		if null {
			raw = append(raw, 0)
			continue
		}
		if k, _ := kind.Of(terms[i].Kind); k.Canonical != nil {
			value = k.Canonical(value)
		}
		raw = append(binary.AppendUvarint(raw, uint64(len(value))+1), value...)
	}
	key, _ := t.Cell(row, columns[last])
	return c.cipher.Append(b, fingerprint, append(raw, key...))
}

// Parse returns the values of the terms in a cursor. It returns an error, with a text for the
// client, if the cursor is not one of this order.
func (c *Cursors) Parse(text string, fingerprint uint32, terms []Term) ([]any, error) {
	raw, err := c.cipher.Open(text, fingerprint)
	if err != nil {
		return nil, errCursor
	}
	values := make([]any, len(terms))
	last := len(terms) - 1
	for i, t := range terms[:last] {
		size, n := binary.Uvarint(raw)
		if n <= 0 || size > uint64(len(raw)-n)+1 || size == 0 && !t.Nullable {
			return nil, errCursor
		}
		raw = raw[n:]
		if size == 0 {
			continue
		}
		k, ok := kind.Of(t.Kind)
		if !ok || k.Place == nil {
			return nil, errCursor
		}
		if values[i], err = k.Place(raw[:size-1]); err != nil {
			return nil, errCursor
		}
		raw = raw[size-1:]
	}
	if values[last], err = parseKey(raw, terms[last].Form); err != nil {
		return nil, errCursor
	}
	return values, nil
}

// parseKey returns a key as the argument of a statement.
func parseKey(raw []byte, of ids.Form) (any, error) {
	switch of {
	case ids.UUID:
		return uuid.FromBytes(raw)
	case ids.Number:
		return strconv.ParseInt(string(raw), 10, 64)
	}
	if !ids.ValidText(raw) {
		return nil, errCursor
	}
	return string(raw), nil
}

// argument returns the values of the cursor in an argument of a page. Its error names the argument.
// In a list of several entities, the cursor may stand for a row of another one than o: of is then
// below 0 if that entity comes before o, and above 0 if it comes after.
func (c *Cursors) argument(name string, value any, o *binding.Object, p *Page) (values []any, of int, err error) {
	text, _ := value.(string)
	if values, err = c.Parse(text, p.Fingerprint, p.Order); err == nil {
		return values, 0, nil
	}
	for i, other := range o.Among {
		if values, failed := c.Parse(text, fingerprint(o, other, p.Order), p.Order); failed == nil {
			return values, i - slices.Index(o.Among, o.Entity.Name), nil
		}
	}
	return nil, 0, apperr.BadInput(name, "%s", err)
}
