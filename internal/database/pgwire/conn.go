package pgwire

import (
	"bufio"
	"bytes"
	"database/sql/driver"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// A session has two layers over its network connection: a deadlineConn, so that nothing waits for
// ever, and above it a tappedConn, which takes rows out of what lib/pq reads.

// Usable reports whether no deadline has been set and the generation has not ended.
func (s *session) Usable() bool { return !s.conn.deadline.spent() }

// Plain reports whether the key could be read. Encrypted messages do not show it.
func (s *session) Plain() bool { return s.key != nil }

// Begin sets the tap, or none, and forgets what was sent so far.
func (s *session) Begin(columns Columns, each RowFunc) *Tap {
	s.conn.tap, s.conn.deadline.sent = nil, false
	if n := len(columns); columns != nil {
		s.conn.tap = &Tap{columns: columns, each: each, values: make([]driver.Value, n), cells: make([][]byte, n)}
	}
	return s.conn.tap
}

// Sent reports whether anything was sent since Begin.
func (s *session) Sent() bool { return s.conn.deadline.sent }

// WithoutDeadline removes the limit of statements and the checks of a silent host. The system's
// keep-alive still notices a host that is gone.
func (s *session) WithoutDeadline() {
	d := s.conn.deadline
	d.silence, d.limit = 0, 0
	_ = d.SetDeadline(time.Time{})
}

// Outdate ends the generation of the connection, at most once a second.
func (s *session) Outdate() { s.conn.deadline.generation.outdate(s.conn.deadline.born) }

// The types of messages that this file looks at, and their sizes.
const (
	dataRow         = 'D'
	commandComplete = 'C'
	errorResponse   = 'E'
	headerSize      = 5        // the type of a message, and its size without the type
	readAhead       = 32 << 10 // lib/pq asks for 4 KiB at a time, which is little for nested rows
)

// tappedConn is a connection that reads ahead, and from which rows can be tapped.
type tappedConn struct {
	net.Conn
	deadline *deadlineConn // the same as Conn
	ahead    *bufio.Reader
	startup  []byte // the first messages of the server
	started  bool   // the session has begun
	tap      *Tap   // nil if lib/pq reads the rows
	rest     int    // bytes left of the message that lib/pq is reading; 0 if messages are not split
}

// Read reads from the server. While a tap is set, lib/pq gets all messages except rows.
func (c *tappedConn) Read(p []byte) (int, error) {
	if c.rest == 0 && c.tap != nil {
		size, err := c.removeRows()
		if err != nil {
			return 0, err
		}
		c.rest = size
	}
	if c.rest > 0 && c.rest < len(p) {
		p = p[:c.rest]
	}
	n, err := c.ahead.Read(p)
	if c.rest > 0 {
		c.rest -= n
	}
	if !c.started && len(c.startup) < maxStartupMessages {
		c.startup = append(c.startup, p[:n]...)
	}
	return n, err
}

// endStartup returns the session's key, if the first messages hold one, and lets go of them.
func (c *tappedConn) endStartup() (key []byte) {
	key = bytes.Clone(cancelKey(c.startup))
	c.startup, c.started = nil, true
	return key
}

// removeRows reads the rows that come next, and returns the size of the message after them, with
// its header.
func (c *tappedConn) removeRows() (size int, err error) {
	for {
		header, err := c.peek(headerSize)
		if err != nil {
			return 0, err
		}
		size := int(binary.BigEndian.Uint32(header[1:]))
		if size < headerSize-1 {
			return 0, errMalformed
		}
		switch header[0] {
		case dataRow:
			if err := c.readRow(size + 1); err != nil {
				return 0, err
			}
			continue
		case commandComplete, errorResponse:
			c.tap = nil // there are no more rows
		}
		return size + 1, nil
	}
}

// readRow reads a message of size bytes that is a row.
func (c *tappedConn) readRow(size int) error {
	if size > readAhead {
		large := make([]byte, size)
		if _, err := io.ReadFull(c.ahead, large); err != nil {
			return err
		}
		return c.tap.row(large[headerSize:])
	}
	message, err := c.peek(size)
	if err != nil {
		return err
	}
	if err := c.tap.row(message[headerSize:]); err != nil {
		return err
	}
	_, err = c.ahead.Discard(size)
	return err
}

// peek returns the next n bytes without consuming them.
func (c *tappedConn) peek(n int) ([]byte, error) {
	found, err := c.ahead.Peek(n)
	if err == io.EOF && len(found) > 0 {
		err = io.ErrUnexpectedEOF
	}
	return found, err
}

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
	sent     bool          // something was sent since the last Begin

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

// generation numbers the connections of a pool. When one of them leads to a server that is gone, or
// that is read-only, the others probably lead there as well. Then the next generation begins, and
// the connections of earlier ones are closed instead of being used again.
type generation struct {
	current  atomic.Int64
	outdated atomic.Int64 // the last outdate, in nanoseconds since 1970
}

// end begins the next generation, unless generation of has already ended.
func (g *generation) end(of int64) { g.current.CompareAndSwap(of, of+1) }

// over reports whether connections of generation of must not be used again.
func (g *generation) over(of int64) bool { return g.current.Load() != of }

// outdateInterval is the shortest time between two calls of outdate that have an effect. A server
// may stay read-only for long, and not every request that reads from it should have to reconnect.
const outdateInterval = time.Second

// outdate ends generation of, unless another one was outdated less than a second ago.
func (g *generation) outdate(of int64) {
	now, last := time.Now().UnixNano(), g.outdated.Load()
	if now-last >= int64(outdateInterval) && g.outdated.CompareAndSwap(last, now) {
		g.end(of)
	}
}
