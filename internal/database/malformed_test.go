package database

import (
	"bufio"
	"bytes"
	"database/sql/driver"
	"encoding/binary"
	"io"
	"slices"
	"testing"
)

// TestDivertMalformed has a server say what none should.
func TestDivertMalformed(t *testing.T) {
	message := func(kind byte, body ...byte) []byte {
		return append(binary.BigEndian.AppendUint32([]byte{kind}, uint32(4+len(body))), body...)
	}
	row := func(columns uint16, rest ...byte) []byte {
		return message(dataRow, append(binary.BigEndian.AppendUint16(nil, columns), rest...)...)
	}
	good := slices.Concat(row(1, 0, 0, 0, 2, 'h', 'i'), message('C', []byte("SELECT 1\x00")...))
	for name, sent := range map[string][]byte{
		"a size below its own":     {dataRow, 0, 0, 0, 3, 0},
		"no columns":               message(dataRow),
		"too many columns":         row(2, 0, 0, 0, 2, 'h', 'i', 0, 0, 0, 0),
		"a value past the end":     row(1, 0, 0, 0, 9, 'h', 'i'),
		"no size of a value":       row(1, 0, 0),
		"a row that breaks off":    good[:9],
		"a header that breaks off": good[:3],
		"nothing":                  nil,
	} {
		d := &diversion{decoders: []decoder{inPlace}, values: make([]driver.Value, 1), cells: make([][]byte, 1),
			each: func([]driver.Value) error { return nil }}
		b := &buffered{ahead: bufio.NewReaderSize(bytes.NewReader(sent), readAhead), begun: true, diversion: d}
		if n, err := io.Copy(io.Discard, readerOnly{b}); n > 0 || len(sent) > 0 && err == nil {
			t.Errorf("%s: %d bytes came through, %v", name, n, err)
		}
	}
	var got string
	d := &diversion{decoders: []decoder{inPlace}, values: make([]driver.Value, 1), cells: make([][]byte, 1),
		each: func(v []driver.Value) error { got = string(*v[0].(*[]byte)); return nil }}
	b := &buffered{ahead: bufio.NewReaderSize(bytes.NewReader(good), readAhead), begun: true, diversion: d}
	if rest, err := io.ReadAll(readerOnly{b}); err != nil || got != "hi" || !bytes.HasPrefix(rest, []byte("C")) {
		t.Errorf("got %q and %q, %v", got, rest, err)
	}
}

// readerOnly hides what else a connection can do.
type readerOnly struct{ io.Reader }
