package database

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

// PostgreSQL bounds the time that a statement takes, but only a server that is there can do so.
// A host that is gone says nothing at all, and neither does one that a network no longer leads to.
// A wire notices: whenever it has heard nothing for quietTime, it asks the host on a connection of
// its own. If that is silent, too, the wire breaks, and a new generation of connections begins.
//
// A deadline of the network connection is what wakes it up. It is set anew when it has passed, and
// not for each statement, and what a statement costs is a number that is counted up: even to ask for
// the time takes longer.

var (
	quietTime  = 2 * time.Second // without a word, after which the host is asked; up to twice that
	answerTime = 4 * time.Second // for the host to answer
)

// pastStatementTimeout is how much longer than it allows a statement to run we wait for a server.
var pastStatementTimeout = 5 * time.Second

// sslRequest asks a server whether it can encrypt the session. Any server answers, also one that
// starts, stops or has no room for another session, and it logs nothing.
const sslRequest = 80877103

var errSilent = errors.New("the database's host does not answer")

// wire is a network connection to PostgreSQL on which nothing waits for ever. One goroutine at a
// time reads and writes; SetDeadline may be called by others.
type wire struct {
	net.Conn
	network, address string
	generation       *generation
	born             int64 // the generation that it is part of

	quiet   time.Duration // quietTime, or 0 if it may be silent for as long as it likes
	limit   time.Duration // from a message to the end of its answer; 0 for none
	overrun func()        // is called past the limit, and bounds what is left of the wait; nil if nothing can
	heard   bool          // something has come since the deadline was last set
	sent    bool          // something was sent since somebody set it to false

	messages, seen int       // that were sent; and when a deadline last passed
	since          time.Time // a deadline first passed while the last message was under way

	mu    sync.Mutex   // held while a deadline is set
	until atomic.Int64 // the end of it all, in nanoseconds since 1970; 0 for none
}

// Read reads what the server says.
func (w *wire) Read(p []byte) (int, error) {
	for {
		n, err := w.Conn.Read(p)
		if err == nil || n > 0 {
			w.heard = true
			return n, err
		}
		if err = w.failed(err, w.Conn.SetReadDeadline); err != nil {
			return 0, err
		}
	}
}

// Write sends a message, with which a round trip begins.
func (w *wire) Write(p []byte) (int, error) {
	w.messages++
	for done := 0; ; {
		n, err := w.Conn.Write(p[done:])
		done += n
		w.sent = w.sent || n > 0
		if err == nil {
			return done, nil
		}
		w.heard = w.heard || n > 0
		if err = w.failed(err, w.Conn.SetWriteDeadline); err != nil {
			return done, err
		}
	}
}

// failed returns nil if reading or writing failed only because a deadline has passed, and there is
// reason to wait on. Otherwise it returns the error.
func (w *wire) failed(err error, set func(time.Time) error) error {
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() || errors.Is(err, syscall.EHOSTUNREACH) {
			w.generation.end(w.born) // the system has given up on the host
		}
		return err
	}
	now, until := time.Now(), w.until.Load()
	recent := w.seen != w.messages
	if recent {
		w.seen, w.since = w.messages, now
	}
	switch {
	case until != 0 && until <= now.UnixNano():
		return err
	case until != 0, w.quiet == 0:
	case w.limit > 0 && now.Sub(w.since) >= w.limit:
		if w.overrun == nil {
			return w.broken(err)
		}
		w.overrun()
	case w.heard || recent:
	case !hostAnswers(w.network, w.address):
		return w.broken(&net.OpError{Op: "read", Net: w.network, Err: errSilent})
	}
	w.heard = false
	return w.arm(set)
}

// broken has everything fail from now on, and returns err.
func (w *wire) broken(err error) error {
	w.generation.end(w.born)
	_ = w.SetDeadline(time.Unix(0, 1))
	return err
}

// arm sets when to look next.
func (w *wire) arm(set func(time.Time) error) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return set(w.next())
}

// next returns when to look next. The caller holds mu.
func (w *wire) next() (next time.Time) {
	if w.quiet > 0 {
		next = time.Now().Add(w.quiet)
	}
	if until := time.Unix(0, w.until.Load()); w.until.Load() != 0 && (next.IsZero() || until.Before(next)) {
		next = until
	}
	return next
}

// SetDeadline sets when reading and writing are to fail; never, if it is zero.
func (w *wire) SetDeadline(t time.Time) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.until.Store(0)
	if !t.IsZero() {
		w.until.Store(t.UnixNano())
	}
	return w.Conn.SetDeadline(w.next())
}

// SetReadDeadline is SetDeadline.
func (w *wire) SetReadDeadline(t time.Time) error { return w.SetDeadline(t) }

// SetWriteDeadline is SetDeadline.
func (w *wire) SetWriteDeadline(t time.Time) error { return w.SetDeadline(t) }

// spent reports whether the wire is not to be used again: its end is set, or its generation over.
func (w *wire) spent() bool {
	return w != nil && (w.until.Load() != 0 || w.generation.over(w.born))
}

// hostAnswers reports whether there is a host at an address. One that refuses is one.
func hostAnswers(network, address string) bool {
	end := time.Now().Add(answerTime)
	conn, err := net.DialTimeout(network, address, answerTime)
	if err == nil {
		defer conn.Close()
		_ = conn.SetDeadline(end)
		request := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, 8), sslRequest)
		if _, err = conn.Write(request); err == nil {
			_, err = conn.Read(request[:1])
		}
	}
	timeout, ok := errors.AsType[net.Error](err)
	return !(ok && timeout.Timeout())
}

// WithoutDeadline lets the statements of a connection take as long as they like, for those who have
// had PostgreSQL do the same: conn is what sql.Conn's Raw hands over. A host that is gone is still
// noticed, by the system's keep-alive.
func WithoutDeadline(raw any) {
	c, ok := raw.(*conn)
	if !ok || c.socket.wire == nil {
		return
	}
	w := c.socket.wire
	w.quiet, w.limit = 0, 0
	_ = w.SetDeadline(time.Time{})
}
