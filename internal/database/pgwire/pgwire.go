// Package pgwire works on the network connection below lib/pq, the driver of PostgreSQL.
//
// It does four things that lib/pq does not. It notices that a host is gone, cancels a statement
// without a goroutine for each, finds dead connections in the pool without a round trip, and takes
// the rows of a statement straight from the messages of the server ("tapped rows").
//
// The formats are those of https://www.postgresql.org/docs/current/protocol-message-formats.html.
package pgwire

import (
	"context"
	"net"
	"syscall"
	"time"
)

// Session is the network connection of one PostgreSQL session.
//
// Cancel and taps are off under TLS: lib/pq encrypts above this package, which then sees no
// messages. Plain returns false, and lib/pq cancels statements and decodes rows itself, with the
// same results. To do the handshake here would mean to repeat lib/pq's sslmode, certificates and
// pass files. All other methods work under TLS as well.
type Session interface {
	// Plain reports whether messages can be read, so that Cancel may be called, and Begin with columns.
	Plain() bool
	// Cancel asks the server to end the statement that runs. Any goroutine may call it.
	Cancel()
	// Begin is called before each statement. If columns is not nil, each gets the statement's rows
	// while it runs, and Begin returns the tap that takes them. Otherwise lib/pq gets them.
	Begin(columns Columns, each RowFunc) *Tap
	// Sent reports whether anything was sent since Begin.
	Sent() bool
	// Alive reports whether an idle connection still has a server, without a round trip.
	Alive() bool
	// Usable reports whether the pool may use the connection again.
	Usable() bool
	// WithoutDeadline lets statements of this session take as long as they like.
	WithoutDeadline()
	// Outdate makes this session, and those of the pool that are as old, unusable.
	Outdate()
}

// session is a Session whose connection a Dialer has opened.
type session struct {
	conn    *tappedConn // nil until the dialer has opened one
	raw     syscall.RawConn
	key     []byte // the server knows the session by it; nil if we have not read it
	timeout time.Duration
}

type sessionKey struct{}

// Attach returns a context for lib/pq's Connect, and a function to call once that has succeeded.
// The function returns the session, or nil if no Dialer has opened a connection.
func Attach(ctx context.Context) (attached context.Context, started func() Session) {
	s := new(session)
	return context.WithValue(ctx, sessionKey{}, s), s.started
}

// attach notes the connection that was opened for ctx, if the caller of Attach wants to know.
func attach(ctx context.Context, conn *tappedConn, opened net.Conn, timeout time.Duration) {
	s, ok := ctx.Value(sessionKey{}).(*session)
	if !ok {
		return
	}
	*s = session{conn: conn, timeout: timeout}
	if c, ok := opened.(syscall.Conn); ok {
		s.raw, _ = c.SyscallConn()
	}
}

// started reads the session's key from the first messages of the server.
func (s *session) started() Session {
	if s.conn == nil {
		return nil
	}
	s.key = s.conn.endStartup()
	if s.key != nil {
		s.conn.deadline.overrun = s.Cancel
	}
	return s
}
