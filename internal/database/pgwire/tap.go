package pgwire

import (
	"bufio"
	"bytes"
	"database/sql/driver"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"

	"github.com/lib/pq"
)

// lib/pq makes a Go value of every column of every row. The read engine only needs the bytes, to
// append them to others. So this package removes the rows of a statement whose column types are
// known from what the server sends, before lib/pq sees them. To lib/pq the result looks empty.
// It still handles everything else: what is sent, errors, and the end of the result.

const (
	dataRow    = 'D'
	headerSize = 5        // the type of a message, and its size without the type
	readAhead  = 32 << 10 // lib/pq asks for 4 KiB at a time, which is little for nested rows
)

// RowFunc receives the values of one row, which are valid until it returns. Texts and bytes are
// *[]byte.
type RowFunc func(values []driver.Value) error

// decoder converts the bytes of a column to a driver.Value. It may store them in cell instead, and
// return cell.
type decoder func(b []byte, cell *[]byte) (driver.Value, error)

// Columns decodes the columns of a statement. It is nil if lib/pq has to decode them.
type Columns []decoder

// decoderOf returns the decoder of a type, by PostgreSQL's name of it, or nil if there is none.
// lib/pq requests bytes and integers in binary form, and everything else as text.
func decoderOf(typeName string) decoder {
	switch typeName {
	case "BYTEA", "TEXT", "VARCHAR":
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

// errMalformed ends the connection: after a network error lib/pq does not use it again.
var errMalformed = &net.OpError{Op: "read", Err: errors.New("malformed message from the server")}

// ColumnsOf returns the decoders of the columns of rows, for the next run of their statement. It
// returns nil if the type of one is unknown to this package.
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

// tap removes rows from what a server sends.
type tap struct {
	columns Columns
	each    RowFunc
	values  []driver.Value
	cells   [][]byte // values point into it
	err     error    // the first of a row; later rows are dropped
}

func newTap(columns Columns, each RowFunc) *tap {
	n := len(columns)
	return &tap{columns: columns, each: each, values: make([]driver.Value, n), cells: make([][]byte, n)}
}

// Tap hands the rows of the next statement to each.
func (s *session) Tap(columns Columns, each RowFunc) (done func() error) {
	t := newTap(columns, each)
	s.conn.tap = t
	return func() error {
		s.conn.tap = nil
		return t.err
	}
}

// tappedConn is a connection that reads ahead, and from which rows can be tapped.
type tappedConn struct {
	net.Conn
	deadline *deadlineConn // the same as Conn
	ahead    *bufio.Reader
	startup  []byte // the first messages of the server
	started  bool   // the session has begun
	tap      *tap   // nil if lib/pq reads the rows
	rest     int    // bytes left of the message that lib/pq is reading; 0 if messages are not split
}

// Read reads from the server. While a tap is set, lib/pq gets all messages except rows.
func (c *tappedConn) Read(p []byte) (int, error) {
	if c.rest == 0 && c.tap != nil {
		size, err := c.removeRows()
		if err != nil {
			return 0, err
		}
		c.rest = size
	}
	if c.rest > 0 && c.rest < len(p) {
		p = p[:c.rest]
	}
	n, err := c.ahead.Read(p)
	if c.rest > 0 {
		c.rest -= n
	}
	if !c.started && len(c.startup) < maxStartupMessages {
		c.startup = append(c.startup, p[:n]...)
	}
	return n, err
}

// endStartup returns the session's key, if the first messages hold one, and lets go of them.
func (c *tappedConn) endStartup() (key []byte) {
	key = bytes.Clone(cancelKey(c.startup))
	c.startup, c.started = nil, true
	return key
}

// removeRows reads the rows that come next, and returns the size of the message after them, with
// its header.
func (c *tappedConn) removeRows() (size int, err error) {
	for {
		header, err := c.peek(headerSize)
		if err != nil {
			return 0, err
		}
		size := int(binary.BigEndian.Uint32(header[1:]))
		if size < headerSize-1 {
			return 0, errMalformed
		}
		if header[0] != dataRow {
			return size + 1, nil
		}
		if err := c.readRow(size + 1); err != nil {
			return 0, err
		}
	}
}

// readRow reads a message of size bytes that is a row.
func (c *tappedConn) readRow(size int) error {
	if size > readAhead {
		large := make([]byte, size)
		if _, err := io.ReadFull(c.ahead, large); err != nil {
			return err
		}
		return c.tap.row(large[headerSize:])
	}
	message, err := c.peek(size)
	if err != nil {
		return err
	}
	if err := c.tap.row(message[headerSize:]); err != nil {
		return err
	}
	_, err = c.ahead.Discard(size)
	return err
}

// peek returns the next n bytes without consuming them.
func (c *tappedConn) peek(n int) ([]byte, error) {
	found, err := c.ahead.Peek(n)
	if err == io.EOF && len(found) > 0 {
		err = io.ErrUnexpectedEOF
	}
	return found, err
}

// row decodes the body of a row and hands it over. It returns an error only if the row is
// malformed. Errors of a value or of each are kept in t.err.
func (t *tap) row(b []byte) error {
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
		if err != nil && t.err == nil {
			t.err = fmt.Errorf("column %d: %w", i+1, err)
		}
		t.values[i], b = value, b[size:]
	}
	if t.err == nil {
		t.err = t.each(t.values)
	}
	return nil
}
