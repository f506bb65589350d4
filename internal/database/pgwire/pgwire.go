// Package pgwire works on the network connection below lib/pq, the driver for PostgreSQL.
//
// It does four things that lib/pq does not do. It notices that a host is gone. It cancels
// statements without a goroutine for each. It finds dead connections in the pool without a round
// trip. And it sends several statements in one round trip.
//
// The formats are those of https://www.postgresql.org/docs/current/protocol-message-formats.html.
package pgwire

import (
	"context"
	"database/sql/driver"
	"net"
	"syscall"
	"time"
)

// Session is the network connection of one PostgreSQL session.
//
// Cancel is off under TLS, because lib/pq encrypts above this package, which then cannot read the
// key that Cancel needs. Plain returns false, and lib/pq cancels statements itself. A handshake in
// this package would have to repeat lib/pq's sslmode, certificates and password files. All other
// methods work under TLS as well.
type Session interface {
	// Plain reports whether messages can be read. Only then may Cancel be called.
	Plain() bool
	// Cancel asks the server to end the running statement. Any goroutine may call it.
	Cancel()
	// Begin is called before each statement.
	Begin()
	// Sent reports whether anything was sent since Begin.
	Sent() bool
	// Alive reports, without a round trip, whether the server of an idle connection is still there.
	Alive() bool
	// Usable reports whether the pool may use the connection again.
	Usable() bool
	// WithoutDeadline removes the time limit from statements of this session.
	WithoutDeadline()
	// Outdate makes this session, and all of the pool that are as old, unusable.
	Outdate()
	// Precede has commands sent before the next message, and in one round trip with it: a statement
	// of the extended protocol. If a command fails, the statement is not run, and fails with the
	// error of the command.
	Precede(commands ...Command)
	// PrecedeCommit does the same for a COMMIT of the simple protocol. If a command fails, the
	// transaction is rolled back.
	PrecedeCommit(commands ...Command)
	// Pending reports whether commands wait for the next statement.
	Pending() bool
	// Drop forgets commands that wait for the next message.
	Drop()
}

// session is the Session of a connection that a Dialer has opened.
type session struct {
	conn    *aheadConn // nil until the dialer has opened the connection
	raw     syscall.RawConn
	key     []byte // the key by which the server knows the session; nil if it could not be read
	timeout time.Duration
	lead    *leadConn
}

type sessionKey struct{}

// Attach returns a context for lib/pq's Connect, and a function to call after Connect has
// succeeded. The function returns the session, or nil if no Dialer opened the connection. It
// returns an error if it does not know this version of lib/pq.
func Attach(ctx context.Context) (attached context.Context, started func(driver.Conn) (Session, error)) {
	s := new(session)
	return context.WithValue(ctx, sessionKey{}, s), s.started
}

// attach stores a new connection in the session of ctx, if ctx comes from Attach.
func attach(ctx context.Context, conn *aheadConn, opened net.Conn, timeout time.Duration) {
	s, ok := ctx.Value(sessionKey{}).(*session)
	if !ok {
		return
	}
	*s = session{conn: conn, timeout: timeout}
	if c, ok := opened.(syscall.Conn); ok {
		s.raw, _ = c.SyscallConn()
	}
}

// started reads the session's key from the first messages of the server, and returns the session.
// It returns nil if the session has no connection.
func (s *session) started(opened driver.Conn) (_ Session, err error) {
	if s.conn == nil {
		return nil, nil
	}
	if s.lead, err = intercept(opened); err != nil {
		return nil, err
	}
	s.key = s.conn.endStartup()
	if s.key != nil {
		s.conn.deadline.overrun = s.Cancel
	}
	return s, nil
}

// Precede has commands sent before the next message.
func (s *session) Precede(commands ...Command) { s.lead.precede(false, commands...) }

// PrecedeCommit has commands sent before a COMMIT.
func (s *session) PrecedeCommit(commands ...Command) { s.lead.precede(true, commands...) }

// Pending reports whether commands wait for the next statement.
func (s *session) Pending() bool { return len(s.lead.lead) > 0 && !s.lead.synced }

// Drop forgets commands that wait for the next message.
func (s *session) Drop() { s.lead.lead = nil }
