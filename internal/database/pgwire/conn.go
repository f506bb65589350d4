package pgwire

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// A session has two layers on top of its network connection: a deadlineConn, so that nothing waits
// for ever, and above it an aheadConn, which reads more at a time than lib/pq asks for.

// Usable reports whether the connection has no deadline and belongs to the current generation.
func (s *session) Usable() bool { return !s.conn.deadline.spent() }

// Plain reports whether the session's key could be read. Under TLS it cannot.
func (s *session) Plain() bool { return s.key != nil }

// Begin forgets what was sent so far.
func (s *session) Begin() { s.conn.deadline.sent = false }

// Sent reports whether anything was sent since Begin.
func (s *session) Sent() bool { return s.conn.deadline.sent }

// WithoutDeadline removes the limit of statements and the checks of a silent host. The system's
// keep-alive still notices a host that is gone.
func (s *session) WithoutDeadline() {
	d := s.conn.deadline
	d.silence, d.limit = 0, 0
	_ = d.SetDeadline(time.Time{})
}

// Outdate ends the generation of the connection, so that no connection of that generation is used
// again. It has an effect at most once a second.
func (s *session) Outdate() { s.conn.deadline.generation.outdate(s.conn.deadline.born) }

// readAhead is how many bytes are read at a time. lib/pq asks for 4 KiB, which is little for nested
// rows.
const readAhead = 32 << 10

// aheadConn is a connection that reads ahead, and that keeps the first messages of the server.
type aheadConn struct {
	net.Conn
	deadline *deadlineConn // the same as Conn
	ahead    *bufio.Reader
	startup  []byte // the first messages of the server
	started  bool   // the session has begun
}

// Read reads from the server.
func (c *aheadConn) Read(p []byte) (int, error) {
	n, err := c.ahead.Read(p)
	if !c.started && len(c.startup) < maxStartupMessages {
		c.startup = append(c.startup, p[:n]...)
	}
	return n, err
}

// endStartup returns the session's key, or nil if the first messages hold none. It drops the first
// messages.
func (c *aheadConn) endStartup() (key []byte) {
	key = bytes.Clone(cancelKey(c.startup))
	c.startup, c.started = nil, true
	return key
}

// PostgreSQL limits the time of a statement, but only a server that can be reached does so. A host
// that is gone, or that the network no longer leads to, sends nothing at all. A deadlineConn finds
// that out. When it has received nothing for a while, it asks the host on another connection. If
// the host does not answer there either, the deadlineConn fails, and a new generation of
// connections begins.
//
// Read and Write return now and then because a deadline of the network connection has passed. A new
// deadline is set only then, and not for each statement: a statement only counts up a number,
// because even reading the clock costs more.

// sslRequest is the code of a request that asks a server whether it supports TLS. Every server
// answers, even one that is starting, stopping or full, and none logs the request.
const sslRequest = 80877103

var errSilent = errors.New("the database's host does not answer")

// deadlineConn is a connection to PostgreSQL on which nothing waits for ever. One goroutine at a
// time reads and writes. Other goroutines may call SetDeadline.
type deadlineConn struct {
	net.Conn
	network, address string
	generation       *generation
	born             int64 // the generation in which the connection was opened

	silence  time.Duration // how long nothing may come before the host is asked; 0 for never
	answer   time.Duration // how long the host may take to answer
	limit    time.Duration // the time from a message to the end of the server's answer; 0 for none
	overrun  func()        // called after limit, to end the wait; nil if nothing can
	received bool          // something was received since the deadline was last set
	sent     bool          // something was sent since the last Begin

	messages, seen int       // how many messages were sent: now, and when a deadline last passed
	since          time.Time // when the first deadline after the last message passed

	mu    sync.Mutex   // held while a deadline is set
	until atomic.Int64 // when reads and writes fail, in nanoseconds since 1970; 0 for never
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

// Write sends a message. The round trip, whose time is limited, begins with it.
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

// expired handles an error of a read or a write. If only a deadline has passed and there is reason
// to wait longer, it sets a new deadline and returns nil. Otherwise it returns an error.
func (c *deadlineConn) expired(err error, set func(time.Time) error) error {
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		if isTimeout(err) || errors.Is(err, syscall.EHOSTUNREACH) {
			c.generation.end(c.born) // the system has given up on the host
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

// next returns when the next deadline is. The caller holds mu.
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

// SetDeadline sets the time at which reads and writes fail. The zero time means never.
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

// spent reports whether the connection must not be used again, because it has a deadline or its
// generation has ended.
func (c *deadlineConn) spent() bool { return c.until.Load() != 0 || c.generation.over(c.born) }

// hostAnswers reports whether the host at an address responds within a time. A refusal is a
// response, too.
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

// generation counts the generations of a pool's connections. When a connection leads to a server
// that is gone or read-only, the others of its generation probably lead to the same server. Then
// the next generation begins, and connections of earlier ones are closed instead of being used
// again.
type generation struct {
	current  atomic.Int64
	outdated atomic.Int64 // when outdate last had an effect, in nanoseconds since 1970
	lost     func()       // called after the end of a generation; or nil
}

// end ends the generation with the number of, unless it has already ended.
func (g *generation) end(of int64) {
	if g.current.CompareAndSwap(of, of+1) && g.lost != nil {
		go g.lost()
	}
}

// over reports whether the generation with the number of has ended.
func (g *generation) over(of int64) bool { return g.current.Load() != of }

// outdateInterval is the shortest time between two calls of outdate that have an effect. A server
// may stay read-only for long, and without a bound every request would have to connect again.
const outdateInterval = time.Second

// outdate ends the generation with the number of, unless a call had an effect less than
// outdateInterval ago.
func (g *generation) outdate(of int64) {
	if g.over(of) {
		return
	}
	now, last := time.Now().UnixNano(), g.outdated.Load()
	if now-last >= int64(outdateInterval) && g.outdated.CompareAndSwap(last, now) {
		g.end(of)
	}
}
