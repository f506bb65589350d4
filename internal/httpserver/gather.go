package httpserver

import (
	"net"
	"sync"
	"time"
)

// net/http sends an answer through a buffer of 4 KiB: what is longer takes two system calls and two packets, and wakes the client twice. A buffer that
// is sent full is followed by the rest of the answer, so it is held back until that comes, or until net/http sets a deadline or closes the connection, as it
// does at the end of each answer. A handler that flushes what it has written so far and then waits is not for this: Forge has none.

// gathering is a listener of such connections.
type gathering struct{ net.Listener }

// Accept waits for the next connection.
func (l gathering) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &gathered{Conn: conn}, nil
}

// full is the size of net/http's buffer.
const full = 4 << 10

// together is how much is copied to be sent at once. What is longer goes in two pieces, but still in one system call.
const together = 64 << 10

var heldBuffers = sync.Pool{New: func() any { return new(make([]byte, 0, 4*full)) }}

type gathered struct {
	net.Conn
	mu   sync.Mutex
	held *[]byte // nil if there is nothing
}

// Write sends b behind what was held back, or holds it back. The error may be that of what was held back.
func (c *gathered) Write(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.held == nil {
		if len(b) != full {
			return c.Conn.Write(b)
		}
		c.held = heldBuffers.Get().(*[]byte)
		*c.held = append((*c.held)[:0], b...)
		return len(b), nil
	}
	defer c.release()
	if len(b) > together {
		_, err := (&net.Buffers{*c.held, b}).WriteTo(c.Conn)
		return len(b), err
	}
	*c.held = append(*c.held, b...)
	_, err := c.Conn.Write(*c.held)
	return len(b), err
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
		_, _ = c.Conn.Write(*c.held)
		c.release()
	}
}

// SetDeadline sets both deadlines.
func (c *gathered) SetDeadline(t time.Time) error {
	c.send()
	return c.Conn.SetDeadline(t)
}

// SetReadDeadline sets the deadline for the next request.
func (c *gathered) SetReadDeadline(t time.Time) error {
	c.send()
	return c.Conn.SetReadDeadline(t)
}

// SetWriteDeadline sets the deadline for the next answer.
func (c *gathered) SetWriteDeadline(t time.Time) error {
	c.send()
	return c.Conn.SetWriteDeadline(t)
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
