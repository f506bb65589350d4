package database

import (
	"database/sql/driver"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"

	"github.com/lib/pq"
)

// lib/pq makes of each value of a row a Go value of its own. The read engine wants but the bytes, to append them to others. So the rows of a statement that has run before,
// whose types are known, are taken out of what the server sends before lib/pq sees it, which finds that there were none. All else
// remains with lib/pq: what it sends, errors, the end. Where the session is encrypted, there is nothing to take out.
//
// The messages are those of https://www.postgresql.org/docs/current/protocol-message-formats.html.

const (
	dataRow    = 'D'
	headerSize = 5 // a message's type, and its size without the type
)

// decoder makes a value of a column's bytes. Texts and bytes stay where they are.
type decoder func(b []byte, cell *[]byte) (driver.Value, error)

// decoders are by PostgreSQL's names of types. lib/pq asks for bytes and integers in binary form, and for all else as text.
var decoders = map[string]decoder{
	"BYTEA": inPlace, "TEXT": inPlace, "VARCHAR": inPlace,
	"INT4": func(b []byte, _ *[]byte) (driver.Value, error) {
		if len(b) != 4 {
			return nil, errMalformed
		}
		return int64(int32(binary.BigEndian.Uint32(b))), nil
	},
	"INT8": func(b []byte, _ *[]byte) (driver.Value, error) {
		if len(b) != 8 {
			return nil, errMalformed
		}
		return int64(binary.BigEndian.Uint64(b)), nil
	},
	"BOOL": func(b []byte, _ *[]byte) (driver.Value, error) { return string(b) == "t", nil },
	"TIMESTAMPTZ": func(b []byte, cell *[]byte) (driver.Value, error) {
		if string(b) == "infinity" || string(b) == "-infinity" {
			return inPlace(b, cell)
		}
		return pq.ParseTimestamp(nil, string(b))
	},
}

func inPlace(b []byte, cell *[]byte) (driver.Value, error) {
	*cell = b
	return cell, nil
}

// errMalformed ends the connection: lib/pq takes a failure of the network as one that nothing can follow.
var errMalformed = &net.OpError{Op: "read", Err: errors.New("a message of the server is malformed")}

// decodersOf returns what makes values of the columns of rows, or nil if lib/pq has to.
func decodersOf(rows driver.Rows) []decoder {
	types, ok := rows.(driver.RowsColumnTypeDatabaseTypeName)
	if !ok {
		return nil
	}
	list := make([]decoder, len(rows.Columns()))
	for i := range list {
		if list[i] = decoders[types.ColumnTypeDatabaseTypeName(i)]; list[i] == nil {
			return nil
		}
	}
	return list
}

// diversion takes rows out of what a server sends.
type diversion struct {
	decoders []decoder
	each     func([]driver.Value) error
	values   []driver.Value
	cells    [][]byte // what values point to
	err      error    // of a row; those after it are dropped
}

// diverts reports whether rows can be taken out of what the server sends.
func (c *conn) diverts() bool { return c.kept != nil && c.socket.key != nil && !c.asText }

// Divert has the rows of the next query, of this text, handed to each while the query runs, if it has run before and so its columns are known. Texts and
// bytes are *[]byte then, and good until each returns. Call the function that is returned once the query's rows are closed: it returns what went wrong with a row.
func (c *conn) Divert(query string, each func([]driver.Value) error) (done func() error) {
	if !c.diverts() {
		return func() error { return nil }
	}
	p, ok := c.kept.Peek(query)
	if !ok || p.inUse || p.decoders == nil {
		return func() error { return nil }
	}
	n := len(p.decoders)
	d := &diversion{decoders: p.decoders, each: each, values: make([]driver.Value, n), cells: make([][]byte, n)}
	b := c.socket.conn.(*buffered)
	b.diversion = d
	return func() error {
		b.diversion = nil
		return d.err
	}
}

// next takes out the rows that come next, and returns the size of the message after them, its header included.
func (d *diversion) next(b *buffered) (size int, err error) {
	for {
		header, err := b.peek(headerSize)
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
		if err := d.take(b, size+1); err != nil {
			return 0, err
		}
	}
}

// take takes out a row of so many bytes.
func (d *diversion) take(b *buffered, size int) error {
	if size > readAhead {
		large := make([]byte, size)
		if _, err := io.ReadFull(b.ahead, large); err != nil {
			return err
		}
		return d.row(large[headerSize:])
	}
	message, err := b.peek(size)
	if err != nil {
		return err
	}
	if err := d.row(message[headerSize:]); err != nil {
		return err
	}
	_, err = b.ahead.Discard(size)
	return err
}

// peek returns the next n bytes, which remain.
func (b *buffered) peek(n int) ([]byte, error) {
	found, err := b.ahead.Peek(n)
	if err == io.EOF && len(found) > 0 {
		err = io.ErrUnexpectedEOF
	}
	return found, err
}

// row hands over a row. It returns an error if it is not one.
func (d *diversion) row(b []byte) error {
	if len(b) < 2 || int(binary.BigEndian.Uint16(b)) != len(d.decoders) {
		return errMalformed
	}
	b = b[2:]
	for i, decode := range d.decoders {
		if len(b) < 4 {
			return errMalformed
		}
		size := int32(binary.BigEndian.Uint32(b))
		if b = b[4:]; size < 0 {
			d.values[i] = nil
			continue
		}
		if int(size) > len(b) {
			return errMalformed
		}
		value, err := decode(b[:size:size], &d.cells[i])
		if err != nil && d.err == nil {
			d.err = fmt.Errorf("column %d: %w", i+1, err)
		}
		d.values[i], b = value, b[size:]
	}
	if d.err == nil {
		d.err = d.each(d.values)
	}
	return nil
}
