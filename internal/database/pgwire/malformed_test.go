package pgwire

import (
	"bufio"
	"bytes"
	"database/sql/driver"
	"encoding/binary"
	"io"
	"slices"
	"testing"
)

// TestTapMalformed sends malformed messages, as no server should.
func TestTapMalformed(t *testing.T) {
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
		c := tapped(sent, func([]driver.Value) error { return nil })
		if n, err := io.Copy(io.Discard, readerOnly{c}); n > 0 || len(sent) > 0 && err == nil {
			t.Errorf("%s: %d bytes came through, %v", name, n, err)
		}
	}
	var got string
	c := tapped(good, func(v []driver.Value) error { got = string(*v[0].(*[]byte)); return nil })
	if rest, err := io.ReadAll(readerOnly{c}); err != nil || got != "hi" || !bytes.HasPrefix(rest, []byte("C")) {
		t.Errorf("got %q and %q, %v", got, rest, err)
	}
}

// tapped returns a connection on which the server has sent bytes, and whose rows, with one column,
// go to each.
func tapped(sent []byte, each RowFunc) *tappedConn {
	ahead := bufio.NewReaderSize(bytes.NewReader(sent), readAhead)
	s := &session{conn: &tappedConn{ahead: ahead, deadline: new(deadlineConn), started: true}}
	s.Begin(Columns{inPlace}, each)
	return s.conn
}

// readerOnly hides the other methods of a connection.
type readerOnly struct{ io.Reader }

// TestCancelKey reads the key from the first messages of a server.
func TestCancelKey(t *testing.T) {
	const ok = "R\x00\x00\x00\x08\x00\x00\x00\x00" + "S\x00\x00\x00\x08a\x00b\x00"
	const key = "K\x00\x00\x00\x0c\x00\x00\x00\x01\x02\x03\x04\x05"
	for start, want := range map[string]string{
		ok + key + "Z\x00\x00\x00\x05I":     "\x00\x00\x00\x01\x02\x03\x04\x05",
		ok:                                  "",
		"":                                  "",
		ok + key[:7]:                        "",
		"S\x16\x03\x03\x00\x7a\x02\x00\x00": "", // TLS begins
		"K\x00\x00\x00\x03":                 "", // shorter than a message can be
	} {
		if got := string(cancelKey([]byte(start))); got != want {
			t.Errorf("cancelKey(%q) is %q, want %q", start, got, want)
		}
	}
}
