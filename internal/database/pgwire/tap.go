package pgwire

import (
	"database/sql/driver"
	"encoding/binary"
	"errors"
	"fmt"
	"net"

	"github.com/lib/pq"
)

// lib/pq makes a Go value of every column of every row. The read engine needs only the bytes, to
// append them to others. So if the column types of a statement are known, this package removes its
// rows from what the server sends, before lib/pq sees them. To lib/pq, the result looks empty.
// lib/pq still handles everything else: what is sent, errors, and the end of the result.

// RowFunc is called with the values of one row, which are valid until it returns. Texts and bytes
// are *[]byte.
type RowFunc func(values []driver.Value) error

// decoder converts the bytes of a column to a driver.Value. It may also store the bytes in cell and
// return cell.
type decoder func(b []byte, cell *[]byte) (driver.Value, error)

// Columns holds a decoder for each column of a statement. It is nil if lib/pq has to decode the
// rows.
type Columns []decoder

// decoderOf returns the decoder for a type with PostgreSQL's name, or nil if there is none. lib/pq
// requests bytes and integers in binary form, and everything else as text.
func decoderOf(typeName string) decoder {
	switch typeName {
	case "BYTEA", "TEXT", "VARCHAR", "FLOAT4", "FLOAT8":
		return inPlace
	case "INT4":
		return int4
	case "INT8":
		return int8Value
	case "BOOL":
		return boolean
	case "TIMESTAMPTZ":
		return timestamp
	}
	return nil
}

func inPlace(b []byte, cell *[]byte) (driver.Value, error) {
	*cell = b
	return cell, nil
}

func int4(b []byte, _ *[]byte) (driver.Value, error) {
	if len(b) != 4 {
		return nil, errMalformed
	}
	return int64(int32(binary.BigEndian.Uint32(b))), nil
}

func int8Value(b []byte, _ *[]byte) (driver.Value, error) {
	if len(b) != 8 {
		return nil, errMalformed
	}
	return int64(binary.BigEndian.Uint64(b)), nil
}

func boolean(b []byte, _ *[]byte) (driver.Value, error) { return string(b) == "t", nil }

func timestamp(b []byte, cell *[]byte) (driver.Value, error) {
	if string(b) == "infinity" || string(b) == "-infinity" {
		return inPlace(b, cell)
	}
	return pq.ParseTimestamp(nil, string(b))
}

// errMalformed ends the connection. It is a network error, after which lib/pq does not use the
// connection again.
var errMalformed = &net.OpError{Op: "read", Err: errors.New("malformed message from the server")}

// ColumnsOf returns decoders for the columns of rows, for the next run of their statement. It
// returns nil if a column has a type without a decoder.
func ColumnsOf(rows driver.Rows) Columns {
	types, ok := rows.(driver.RowsColumnTypeDatabaseTypeName)
	if !ok {
		return nil
	}
	columns := make(Columns, len(rows.Columns()))
	for i := range columns {
		if columns[i] = decoderOf(types.ColumnTypeDatabaseTypeName(i)); columns[i] == nil {
			return nil
		}
	}
	return columns
}

// Tap takes the rows of one statement out of what the server sends, and calls a RowFunc with each.
type Tap struct {
	Err error // the first error of each or of a value; later rows are dropped

	columns Columns
	each    RowFunc
	values  []driver.Value
	cells   [][]byte // the bytes that values point to
}

// row decodes the body of a row message, and calls each. It returns an error only if the message is
// malformed. An error of a value or of each is stored in t.Err.
func (t *Tap) row(b []byte) error {
	if len(b) < 2 || int(binary.BigEndian.Uint16(b)) != len(t.columns) {
		return errMalformed
	}
	b = b[2:]
	for i, decode := range t.columns {
		if len(b) < 4 {
			return errMalformed
		}
		size := int32(binary.BigEndian.Uint32(b))
		if b = b[4:]; size < 0 {
			t.values[i] = nil
			continue
		}
		if int(size) > len(b) {
			return errMalformed
		}
		value, err := decode(b[:size:size], &t.cells[i])
		if err != nil && t.Err == nil {
			t.Err = fmt.Errorf("column %d: %w", i+1, err)
		}
		t.values[i], b = value, b[size:]
	}
	if t.Err == nil {
		t.Err = t.each(t.values)
	}
	return nil
}
