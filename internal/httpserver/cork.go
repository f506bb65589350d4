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

// net/http sends an answer through a buffer of 4 KiB: what is longer takes two system calls and two packets, and wakes the client twice. A buffer that
// is sent full is followed by the rest of the answer, so it is held back until that comes, or until net/http sets a deadline or closes the connection, as it
// does at the end of each answer. A handler that flushes what it has written so far and then waits is not for this: Forge has none.

// A client that does not read keeps the answer in the memory of the server. So it has to take some of it within a time,
// again and again, or its connection ends.

// gathering is a listener of such connections.
type gathering struct {
	net.Listener
	stall time.Duration // how long a client may take for each leastRead bytes; 0 for as long as it likes
}

// Accept waits for the next connection.
func (l gathering) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	if c, ok := conn.(interface{ SetWriteBuffer(int) error }); ok && l.stall > 0 {
		_ = c.SetWriteBuffer(sendBuffer) // else it has the system's size
	}
	return &gathered{Conn: conn, stall: l.stall, left: l.stall}, nil
}

// sendBuffer is how many bytes the system takes of an answer ahead of its client. It would take several megabytes by itself,
// and say only when a third of that is gone that the client has read something.
const sendBuffer = 256 << 10

// full is the size of net/http's buffer.
const full = 4 << 10

// together is how much is copied to be sent at once. What is longer goes in two pieces, but still in one system call.
const together = 64 << 10

var heldBuffers = sync.Pool{New: func() any { return new(make([]byte, 0, 4*full)) }}

// leastRead is how many bytes a client must read in the time that a connection may stall.
const leastRead = 8 << 10

type gathered struct {
	net.Conn
	mu    sync.Mutex
	held  *[]byte       // nil if there is nothing
	until time.Time     // when the whole answer has to be written; zero for no limit
	stall time.Duration // see gathering
	left  time.Duration // of stall, for the next leastRead bytes
	read  int           // of these
	ended atomic.Bool   // by abort
}

// abort makes writes fail, one that is waiting too. Unlike the other methods it does not wait for it.
func (c *gathered) abort() {
	c.ended.Store(true)
	_ = c.Conn.SetWriteDeadline(time.Unix(1, 0))
}

// errStalled is why a connection ends whose client does not read.
var errStalled = fmt.Errorf("the client does not read, or too slowly: %w", os.ErrDeadlineExceeded)

// stalled ends the connection: the system must not keep what it has not sent, either.
func (c *gathered) stalled() error {
	if conn, ok := c.Conn.(interface{ SetLinger(int) error }); ok {
		_ = conn.SetLinger(0)
	}
	return errStalled
}

// push has write send what it has, for as long as the client takes some of it in time. write returns how many bytes it
// sent, and goes on with the rest when it is called again. The caller holds mu.
func (c *gathered) push(write func() (int, error)) error {
	for {
		start := time.Now()
		if err := c.Conn.SetWriteDeadline(c.deadline(start)); err != nil {
			return err
		}
		if c.ended.Load() {
			return c.stalled()
		}
		n, err := write()
		c.left -= time.Since(start)
		if c.read += n; c.read >= leastRead {
			c.read, c.left = 0, c.stall
		}
		switch {
		case err == nil:
			return nil
		case !errors.Is(err, os.ErrDeadlineExceeded):
			return err
		case c.ended.Load(), c.stall > 0 && c.left <= 0, !c.until.IsZero() && !time.Now().Before(c.until):
			return c.stalled()
		}
	}
}

// deadline returns until when the client has to read something.
func (c *gathered) deadline(now time.Time) time.Time {
	if c.stall == 0 {
		return c.until
	}
	soon := now.Add(c.left)
	if c.until.IsZero() || soon.Before(c.until) {
		return soon
	}
	return c.until
}

// pushBytes sends b.
func (c *gathered) pushBytes(b []byte) error {
	return c.push(func() (int, error) {
		n, err := c.Conn.Write(b)
		b = b[n:]
		return n, err
	})
}

// Write sends b behind what was held back, or holds it back. The error may be that of what was held back.
func (c *gathered) Write(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.held == nil {
		if len(b) != full {
			return sent(b, c.pushBytes(b))
		}
		c.held = heldBuffers.Get().(*[]byte)
		*c.held = append((*c.held)[:0], b...)
		return len(b), nil
	}
	defer c.release()
	if len(b) > together {
		both := net.Buffers{*c.held, b}
		return sent(b, c.push(func() (int, error) {
			n, err := both.WriteTo(c.Conn)
			return int(n), err
		}))
	}
	*c.held = append(*c.held, b...)
	return sent(b, c.pushBytes(*c.held))
}

// sent returns what Write does of b: all or, as nobody goes on after a failure, nothing.
func sent(b []byte, err error) (int, error) {
	if err != nil {
		return 0, err
	}
	return len(b), nil
}

func (c *gathered) release() {
	heldBuffers.Put(c.held)
	c.held = nil
}

// send sends what is held back. If that fails, so does what follows.
func (c *gathered) send() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.held != nil {
		_ = c.pushBytes(*c.held)
		c.release()
	}
}

// SetDeadline sets both deadlines.
func (c *gathered) SetDeadline(t time.Time) error {
	if err := c.SetWriteDeadline(t); err != nil {
		return err
	}
	return c.Conn.SetReadDeadline(t)
}

// SetReadDeadline sets the deadline for the next request.
func (c *gathered) SetReadDeadline(t time.Time) error {
	c.send()
	return c.Conn.SetReadDeadline(t)
}

// SetWriteDeadline sets the deadline for the next answer.
func (c *gathered) SetWriteDeadline(t time.Time) error {
	c.send()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.until, c.left, c.read = t, c.stall, 0
	return c.Conn.SetWriteDeadline(t)
}

type connKey struct{}

// withConn is http.Server's ConnContext: requests find their connection.
func withConn(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, c)
}

// Abort ends the connection of the request that ctx is of: what is being written to it fails.
func Abort(ctx context.Context) {
	if c, ok := ctx.Value(connKey{}).(*gathered); ok {
		c.abort()
	}
}

// CloseWrite tells the client that the last answer is complete. net/http looks for it when it closes a connection that may have more to say.
func (c *gathered) CloseWrite() error {
	c.send()
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}

// Close sends what is held back, and closes the connection.
func (c *gathered) Close() error {
	c.send()
	return c.Conn.Close()
}
