package pgwire

import (
	"encoding/binary"
	"errors"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// PostgreSQL limits the time of a statement, but only a server that can be reached does so. A host
// that is gone, or that the network no longer leads to, sends nothing at all. A deadlineConn finds
// that out. When it has received nothing for a while, it asks the host on another connection. If
// that gets no answer either, the deadlineConn fails, and a new generation of connections begins.
//
// A deadline of the network connection wakes it up. The deadline is renewed when it has passed, and
// not for each statement: a statement only counts up a number, as even reading the clock costs
// more.

// sslRequest asks a server whether it supports TLS. Every server answers, even one that is
// starting, stopping or full, and it logs nothing.
const sslRequest = 80877103

var errSilent = errors.New("the database's host does not answer")

// deadlineConn is a connection to PostgreSQL on which nothing waits for ever. One goroutine at a
// time reads and writes. Others may call SetDeadline.
type deadlineConn struct {
	net.Conn
	network, address string
	generation       *generation
	born             int64 // the connection's generation

	silence  time.Duration // after it the host is asked; 0 for never
	answer   time.Duration // for the host to answer
	limit    time.Duration // from a message to the end of its answer; 0 for none
	overrun  func()        // called past the limit, it bounds the rest of the wait; nil if it cannot
	received bool          // something has come since the deadline was last set
	sent     bool          // something was sent since the last ResetSent

	messages, seen int       // how many were sent: now, and when a deadline last passed
	since          time.Time // when a deadline first passed after the last message

	mu    sync.Mutex   // held while a deadline is set
	until atomic.Int64 // when all fails, in nanoseconds since 1970; 0 for never
}

// Read reads from the server.
func (c *deadlineConn) Read(p []byte) (int, error) {
	for {
		n, err := c.Conn.Read(p)
		if err == nil || n > 0 {
			c.received = true
			return n, err
		}
		if err = c.expired(err, c.Conn.SetReadDeadline); err != nil {
			return 0, err
		}
	}
}

// Write sends a message, which begins a round trip.
func (c *deadlineConn) Write(p []byte) (int, error) {
	c.messages++
	for done := 0; ; {
		n, err := c.Conn.Write(p[done:])
		done += n
		c.sent = c.sent || n > 0
		if err == nil {
			return done, nil
		}
		c.received = c.received || n > 0
		if err = c.expired(err, c.Conn.SetWriteDeadline); err != nil {
			return done, err
		}
	}
}

// expired handles an error of reading or writing. It returns nil, with a new deadline set, if only
// a deadline has passed and there is reason to wait longer. Otherwise it returns an error.
func (c *deadlineConn) expired(err error, set func(time.Time) error) error {
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		if isTimeout(err) || errors.Is(err, syscall.EHOSTUNREACH) {
			c.generation.end(c.born) // the system has given the host up
		}
		return err
	}
	now, until := time.Now(), c.until.Load()
	recent := c.seen != c.messages
	if recent {
		c.seen, c.since = c.messages, now
	}
	switch {
	case until != 0 && until <= now.UnixNano():
		return err
	case until != 0, c.silence == 0:
	case c.limit > 0 && now.Sub(c.since) >= c.limit:
		if c.overrun == nil {
			return c.fail(err)
		}
		c.overrun()
	case c.received || recent:
	case !hostAnswers(c.network, c.address, c.answer):
		return c.fail(&net.OpError{Op: "read", Net: c.network, Err: errSilent})
	}
	c.received = false
	return c.renew(set)
}

// fail makes all reads and writes fail from now on, ends the generation, and returns err.
func (c *deadlineConn) fail(err error) error {
	c.generation.end(c.born)
	_ = c.SetDeadline(time.Unix(0, 1))
	return err
}

// renew sets the next deadline.
func (c *deadlineConn) renew(set func(time.Time) error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return set(c.next())
}

// next returns the next deadline. The caller holds mu.
func (c *deadlineConn) next() (next time.Time) {
	if c.silence > 0 {
		next = time.Now().Add(c.silence)
	}
	until := c.until.Load()
	if end := time.Unix(0, until); until != 0 && (next.IsZero() || end.Before(next)) {
		next = end
	}
	return next
}

// SetDeadline sets when reading and writing fail. The zero time means never.
func (c *deadlineConn) SetDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.until.Store(0)
	if !t.IsZero() {
		c.until.Store(t.UnixNano())
	}
	return c.Conn.SetDeadline(c.next())
}

// SetReadDeadline does the same as SetDeadline.
func (c *deadlineConn) SetReadDeadline(t time.Time) error { return c.SetDeadline(t) }

// SetWriteDeadline does the same as SetDeadline.
func (c *deadlineConn) SetWriteDeadline(t time.Time) error { return c.SetDeadline(t) }

// spent reports whether the connection must not be used again: it has a deadline, or its generation
// has ended.
func (c *deadlineConn) spent() bool { return c.until.Load() != 0 || c.generation.over(c.born) }

// hostAnswers reports whether a host responds at an address within a time. A refusal is a response.
func hostAnswers(network, address string, within time.Duration) bool {
	end := time.Now().Add(within)
	conn, err := net.DialTimeout(network, address, within)
	if err == nil {
		defer conn.Close()
		_ = conn.SetDeadline(end)
		request := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, 8), sslRequest)
		if _, err = conn.Write(request); err == nil {
			_, err = conn.Read(request[:1])
		}
	}
	return !isTimeout(err)
}

func isTimeout(err error) bool {
	netErr, ok := errors.AsType[net.Error](err)
	return ok && netErr.Timeout()
}
