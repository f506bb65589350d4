package httpserver

import (
	"net"
	"sync"
	"time"
)

// corkedConn is a connection that sends an answer of up to 64 KiB with one system call.
//
// net/http writes an answer through a buffer of 4 KiB. A longer answer takes two system calls and
// two packets, and wakes the client twice. A write of exactly that buffer is followed by the rest
// of the answer, so it is held back until the rest comes, or until net/http sets a deadline or
// closes the connection, as it does at the end of each answer. A handler that flushes a part of its
// answer and then waits must not be served like this; Forge has none.
type corkedConn struct {
	net.Conn // timed
	timed    *timedConn
	mu       sync.Mutex
	held     *[]byte // nil if nothing is held back
}

// netHTTPBuffer is the size of net/http's buffer for writes.
const netHTTPBuffer = 4 << 10

// maxJoined is the largest write that is copied behind the bytes held back. A larger one is sent in
// two pieces, but still with one system call.
const maxJoined = 64 << 10

// heldBuffers has the memory for bytes that are held back, as *[]byte.
var heldBuffers = sync.Pool{New: func() any { return new(make([]byte, 0, 4*netHTTPBuffer)) }}

func newCorkedConn(timed *timedConn) *corkedConn { return &corkedConn{Conn: timed, timed: timed} }

// Write sends b behind the bytes held back, or holds b back. The error may be about the latter.
func (c *corkedConn) Write(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.held == nil {
		if len(b) != netHTTPBuffer {
			return c.timed.Write(b)
		}
		c.held = heldBuffers.Get().(*[]byte)
		*c.held = append((*c.held)[:0], b...)
		return len(b), nil
	}
	defer c.release()
	if len(b) > maxJoined {
		return allOrNothing(b, c.timed.writeBuffers(net.Buffers{*c.held, b}))
	}
	*c.held = append(*c.held, b...)
	_, err := c.timed.Write(*c.held)
	return allOrNothing(b, err)
}

func (c *corkedConn) release() {
	heldBuffers.Put(c.held)
	c.held = nil
}

// uncork sends the bytes held back. If that fails, all later writes fail as well.
func (c *corkedConn) uncork() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.held != nil {
		_, _ = c.timed.Write(*c.held)
		c.release()
	}
}

// SetDeadline sets both deadlines.
func (c *corkedConn) SetDeadline(t time.Time) error {
	c.uncork()
	return c.timed.SetDeadline(t)
}

// SetReadDeadline sets the deadline for the next request.
func (c *corkedConn) SetReadDeadline(t time.Time) error {
	c.uncork()
	return c.timed.SetReadDeadline(t)
}

// SetWriteDeadline sets the deadline for the next answer.
func (c *corkedConn) SetWriteDeadline(t time.Time) error {
	c.uncork()
	return c.timed.SetWriteDeadline(t)
}

// CloseWrite tells the client that the last answer is complete.
func (c *corkedConn) CloseWrite() error {
	c.uncork()
	return c.timed.CloseWrite()
}

// Close sends the bytes held back, and closes the connection.
func (c *corkedConn) Close() error {
	c.uncork()
	return c.timed.Close()
}

func (c *corkedConn) abort() { c.timed.abort() }
