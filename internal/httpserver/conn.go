package httpserver

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// listener accepts connections that are ended if their clients do not read.
type listener struct {
	net.Listener
	stall time.Duration // how long a client may take to read minRead bytes; 0: no limit
}

// Accept waits for the next connection.
func (l listener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	if c, ok := conn.(interface{ SetWriteBuffer(int) error }); ok && l.stall > 0 {
		_ = c.SetWriteBuffer(sendBuffer) // if it fails, the system's own size is used
	}
	return newCorkedConn(&timedConn{Conn: conn, stall: l.stall, left: l.stall}), nil
}

// sendBuffer is how many bytes of an answer the system stores until the client reads them. By
// default the system would store several megabytes, and would report what the client has read only
// after a third of them.
const sendBuffer = 256 << 10

// minRead is how many bytes a client must read within the stall time of a listener.
const minRead = 8 << 10

// timedConn is a connection that ends if its client does not read the answers. Otherwise such a
// client would keep its answer in the memory of the server. The client has to read minRead bytes
// within the stall time, again and again.
type timedConn struct {
	net.Conn
	mu      sync.Mutex
	until   time.Time     // when the whole answer must be written; zero: no limit
	stall   time.Duration // see listener
	left    time.Duration // what is left of stall for the next minRead bytes
	read    int           // how many of the next minRead bytes were read
	aborted atomic.Bool
}

// abort makes writes fail, including one that is under way.
func (c *timedConn) abort() {
	c.aborted.Store(true)
	_ = c.Conn.SetWriteDeadline(time.Unix(1, 0))
}

// errStalled is the error of writes to a client that does not read.
var errStalled = fmt.Errorf("the client does not read, or too slowly: %w", os.ErrDeadlineExceeded)

// endStalled returns errStalled. It makes the system drop the unsent bytes when the connection is
// closed.
func (c *timedConn) endStalled() error {
	if conn, ok := c.Conn.(interface{ SetLinger(int) error }); ok {
		_ = conn.SetLinger(0)
	}
	return errStalled
}

// push calls write until all bytes are sent. It returns an error if the client does not read enough
// of them in time. write returns how many bytes it has sent, and continues with the rest at the
// next call.
func (c *timedConn) push(write func() (int, error)) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for {
		start := time.Now()
		if err := c.Conn.SetWriteDeadline(c.deadline(start)); err != nil {
			return err
		}
		if c.aborted.Load() {
			return c.endStalled()
		}
		n, err := write()
		c.left -= time.Since(start)
		if c.read += n; c.read >= minRead {
			c.read, c.left = 0, c.stall
		}
		switch {
		case err == nil:
			return nil
		case !errors.Is(err, os.ErrDeadlineExceeded):
			return err
		case c.aborted.Load(), c.stall > 0 && c.left <= 0, !c.until.IsZero() && !time.Now().Before(c.until):
			return c.endStalled()
		}
	}
}

// deadline returns the time by which the client has to read something.
func (c *timedConn) deadline(now time.Time) time.Time {
	if c.stall == 0 {
		return c.until
	}
	soon := now.Add(c.left)
	if c.until.IsZero() || soon.Before(c.until) {
		return soon
	}
	return c.until
}

// Write sends b.
func (c *timedConn) Write(b []byte) (int, error) {
	rest := b
	return allOrNothing(b, c.push(func() (int, error) {
		n, err := c.Conn.Write(rest)
		rest = rest[n:]
		return n, err
	}))
}

// writeBuffers sends all buffers, with a single system call where the system allows this.
func (c *timedConn) writeBuffers(b net.Buffers) error {
	return c.push(func() (int, error) {
		n, err := b.WriteTo(c.Conn)
		return int(n), err
	})
}

// allOrNothing returns the results of writing b. After an error it reports 0 bytes as written,
// because nobody continues with the rest.
func allOrNothing(b []byte, err error) (int, error) {
	if err != nil {
		return 0, err
	}
	return len(b), nil
}

// SetDeadline sets both deadlines.
func (c *timedConn) SetDeadline(t time.Time) error {
	if err := c.SetWriteDeadline(t); err != nil {
		return err
	}
	return c.Conn.SetReadDeadline(t)
}

// SetWriteDeadline sets the deadline for the next answer.
func (c *timedConn) SetWriteDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.until, c.left, c.read = t, c.stall, 0
	return c.Conn.SetWriteDeadline(t)
}

// CloseWrite tells the client that no more answers follow. net/http calls it when it closes a
// connection on which the client may still be sending.
func (c *timedConn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}

type connKey struct{}

// withConn puts the connection on the context of its requests. It is http.Server's ConnContext.
func withConn(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, c)
}

// Abort ends the connection of the request that ctx belongs to. Writes to it fail from then on. If
// ctx belongs to no request that came through Serve, Abort does nothing.
func Abort(ctx context.Context) {
	if c, ok := ctx.Value(connKey{}).(interface{ abort() }); ok {
		c.abort()
	}
}

// corkedConn is a connection that sends an answer of up to 64 KiB with one system call.
//
// net/http writes an answer through a buffer of 4 KiB. So a longer answer takes two system calls
// and two packets, and wakes the client twice. A write of exactly 4 KiB is one of a full buffer,
// and the rest of the answer follows. So corkedConn holds such a write back until the rest comes,
// or until net/http sets a deadline or closes the connection, as it does at the end of each answer.
// A handler that writes a part of its answer and then waits has to set a deadline in between, or
// remove one. So has a handler that takes over the connection.
type corkedConn struct {
	net.Conn // timed
	timed    *timedConn
	mu       sync.Mutex
	held     *[]byte // nil if nothing is held back
}

// netHTTPBuffer is the size of net/http's buffer for writes.
const netHTTPBuffer = 4 << 10

// maxJoined is the largest write that is copied behind the bytes held back. A larger write is sent
// without a copy, but with the same system call.
const maxJoined = 64 << 10

// heldBuffers holds memory for bytes that are held back, as *[]byte.
var heldBuffers = sync.Pool{New: func() any { return new(make([]byte, 0, 4*netHTTPBuffer)) }}

func newCorkedConn(timed *timedConn) *corkedConn { return &corkedConn{Conn: timed, timed: timed} }

// Write sends the bytes held back and then b, or holds b back. An error may come from the bytes
// held back.
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

// uncork sends the bytes held back. If this fails, all later writes fail as well.
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

// CloseWrite tells the client that no more answers follow.
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
