package pgwire

import (
	"bufio"
	"database/sql/driver"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"reflect"
	"unsafe"
)

// lib/pq sends a statement and waits for its answer. At a distance, a transaction of five
// statements takes five times the way. So statements whose answers say nothing but that they
// succeeded can precede another one: they are sent together with it, and their answers are left out
// of what lib/pq reads. If one of them fails, the server skips what follows, and its error is the
// answer.

// Command is a statement without rows. Its arguments are texts; nil stands for NULL.
type Command struct {
	Text string
	Args []*string
}

// leadConn is the layer between lib/pq and its connection, above TLS.
type leadConn struct {
	net.Conn
	lead    []byte // the messages that go before the next one; empty for none
	answers int    // how many commands of the lead have not been answered
	synced  bool   // the lead ends with a Sync, so that the server answers it by itself
	reading bool   // the answers to the lead are read
	failed  bool   // one of them is an error
	ready   []byte // messages for lib/pq
}

// The types of messages. The first ones are the client's.
const (
	parseMessage    = 'P'
	bindMessage     = 'B'
	executeMessage  = 'E'
	syncMessage     = 'S'
	commandComplete = 'C'
	errorResponse   = 'E'
	readyForQuery   = 'Z'
	noticeResponse  = 'N'
	notification    = 'A'
	parameterStatus = 'S'
)

// intercept puts a leadConn between lib/pq and its connection. It returns an error for versions of
// lib/pq whose connections it does not know.
func intercept(opened driver.Conn) (*leadConn, error) {
	v := reflect.ValueOf(opened).Elem()
	conn, buffer := v.FieldByName("c"), v.FieldByName("buf")
	if !conn.IsValid() || conn.Type() != reflect.TypeFor[net.Conn]() || !buffer.IsValid() || buffer.Type() != reflect.TypeFor[*bufio.Reader]() {
		return nil, fmt.Errorf("%T has no connection and no buffer: this version of lib/pq is not known", opened)
	}
	below, reader := (*net.Conn)(unsafe.Pointer(conn.UnsafeAddr())), *(**bufio.Reader)(unsafe.Pointer(buffer.UnsafeAddr()))
	buffered, err := reader.Peek(reader.Buffered())
	if err != nil {
		return nil, err
	}
	c := &leadConn{Conn: *below, ready: append([]byte(nil), buffered...)}
	*below = c
	reader.Reset(c)
	return c, nil
}

// precede has the commands sent before the next message. If synced is true, the next message is run
// even after a command has failed, and its answer is left out then. It must be a query of the
// simple protocol, and no command may begin a transaction. Otherwise the server skips the next
// message after a failure, and it must be one of the extended protocol.
func (c *leadConn) precede(synced bool, commands ...Command) {
	c.lead, c.answers, c.synced, c.failed = nil, len(commands), synced, false
	for _, command := range commands {
		c.lead = command.append(c.lead)
	}
	if synced {
		c.lead = message(c.lead, syncMessage, nil)
	}
}

// append appends the messages that run a command.
func (c Command) append(to []byte) []byte {
	parse := append([]byte{0}, c.Text...) // 0 ends the name of the unnamed statement
	to = message(to, parseMessage, append(parse, 0, 0, 0))
	bind := binary.BigEndian.AppendUint16([]byte{0, 0, 0, 0}, uint16(len(c.Args))) // no names, all arguments are texts
	for _, arg := range c.Args {
		if arg == nil {
			bind = append(bind, 0xff, 0xff, 0xff, 0xff)
			continue
		}
		bind = append(binary.BigEndian.AppendUint32(bind, uint32(len(*arg))), *arg...)
	}
	to = message(to, bindMessage, append(bind, 0, 0))
	return message(to, executeMessage, []byte{0, 0, 0, 0, 0})
}

// message appends a message of the protocol.
func message(to []byte, kind byte, body []byte) []byte {
	to = binary.BigEndian.AppendUint32(append(to, kind), uint32(4+len(body)))
	return append(to, body...)
}

// Write sends a message, after those that precede it.
func (c *leadConn) Write(p []byte) (int, error) {
	if len(c.lead) == 0 {
		return c.Conn.Write(p)
	}
	lead := len(c.lead)
	n, err := c.Conn.Write(append(c.lead, p...))
	c.lead, c.reading = nil, true
	if n > 0 && n <= lead {
		n = lead + 1 // for lib/pq, 0 would mean that the server got nothing
	}
	return max(n-lead, 0), err
}

// Read reads from the server, without the answers to the lead.
func (c *leadConn) Read(p []byte) (int, error) {
	for c.reading && len(c.ready) == 0 {
		if err := c.readAnswer(); err != nil {
			return 0, err
		}
	}
	if len(c.ready) == 0 {
		return c.Conn.Read(p)
	}
	n := copy(p, c.ready)
	c.ready = c.ready[n:]
	return n, nil
}

// readAnswer reads a message of the answers to the lead. It leaves in ready what is for lib/pq.
func (c *leadConn) readAnswer() error {
	head := make([]byte, headerSize)
	if _, err := io.ReadFull(c.Conn, head); err != nil {
		return err
	}
	whole := make([]byte, 1+binary.BigEndian.Uint32(head[1:]))
	copy(whole, head)
	if _, err := io.ReadFull(c.Conn, whole[headerSize:]); err != nil {
		return err
	}
	if c.passes(whole[0]) {
		c.ready = whole
	}
	return nil
}

// passes reports whether a message among the answers to the lead is for lib/pq. It finds out where
// they end.
func (c *leadConn) passes(kind byte) bool {
	switch kind {
	case noticeResponse, notification, parameterStatus:
		return true
	case commandComplete:
		c.answers--
		c.reading = c.answers > 0 || c.synced
	case errorResponse:
		first := !c.failed
		c.failed, c.reading = true, c.synced
		return first
	case readyForQuery:
		if c.failed && c.answers >= 0 {
			c.answers = -1 // the next one ends the answer to the message after the lead
			return false
		}
		c.reading = false
		return c.failed
	}
	return false
}
