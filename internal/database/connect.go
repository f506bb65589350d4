package database

import (
	"context"
	"database/sql/driver"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/lib/pq"

	"forge/internal/cache"
	"forge/internal/database/pgwire"
)

// connector opens connections that keep their prepared statements.
type connector struct {
	driver.Connector
	name         string // of the host, if there are several
	statements   int    // how many each connection keeps; 0 for none
	keepOnCancel bool   // also after a cancelled statement, as the database ends with it
	// distance is how many nanoseconds an exchange with the server takes at least. It is measured
	// with the first connection, and with others as long as the server counts as distant: a busy
	// machine may have made it seem so.
	distance  *atomic.Int64
	connected func(context.Context, string) error // see Options
	server    func() string                       // see Options
}

// rawConn is what the connections of both drivers implement: lib/pq and modernc.org/sqlite.
type rawConn interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.QueryerContext
	driver.Pinger
	driver.SessionResetter
	driver.Validator
}

// Connect opens a connection.
func (c connector) Connect(ctx context.Context) (driver.Conn, error) {
	ctx, started := pgwire.Attach(ctx)
	opened, err := c.Connector.Connect(ctx)
	if err != nil {
		if c.name != "" {
			err = fmt.Errorf("%s: %w", c.name, err)
		}
		return nil, err
	}
	conn := &conn{rawConn: opened.(rawConn), keepOnCancel: c.keepOnCancel}
	if conn.session, err = started(opened); err != nil {
		_ = opened.Close()
		return nil, err
	}
	if conn.session == nil {
		conn.session, conn.sqlite = noSession{}, true
	} else {
		pq.SetNoticeHandler(opened, conn.noticed)
	}
	conn.cancel, conn.plain = conn.session.Cancel, conn.session.Plain()
	if c.statements > 0 {
		conn.kept = cache.New(c.statements, preparedBytes, (*prepared).drop)
	}
	if c.distance != nil {
		if known := time.Duration(c.distance.Load()); known == 0 || known > near {
			c.distance.Store(int64(conn.roundTrip(ctx)))
		}
	}
	if c.connected != nil {
		conn.server, err = conn.ask(ctx, "SELECT "+ServerIdentity)
		if err == nil {
			err = c.connected(ctx, conn.server)
		}
		if err != nil {
			_ = conn.Close()
			return nil, err
		}
		conn.current = c.server
	}
	return conn, nil
}

// roundTrip returns how long the shortest of three exchanges with the server takes.
func (c *conn) roundTrip(ctx context.Context) (shortest time.Duration) {
	for range 3 {
		start := time.Now()
		if c.Ping(ctx) != nil {
			break // the first statement will tell
		}
		if took := time.Since(start); shortest == 0 || took < shortest {
			shortest = took
		}
	}
	return shortest
}

// noSession is the session of a connection to SQLite, which has no network connection.
type noSession struct{}

func (noSession) Plain() bool                     { return false }
func (noSession) Cancel()                         {}
func (noSession) Alive() bool                     { return true }
func (noSession) Usable() bool                    { return true }
func (noSession) Sent() bool                      { return false }
func (noSession) WithoutDeadline()                {}
func (noSession) Outdate()                        {}
func (noSession) Begin()                          {}
func (noSession) Precede(...pgwire.Command)       {}
func (noSession) PrecedeCommit(...pgwire.Command) {}
func (noSession) Pending() bool                   { return false }
func (noSession) Drop()                           {}

// Close closes the connection. For SQLite it closes the kept statements first, because otherwise
// SQLite does not remove its log. On PostgreSQL, statements end with the session, and closing each
// would take a round trip.
func (c *conn) Close() error {
	if c.sqlite && c.kept != nil {
		c.kept.Purge()
	}
	return c.rawConn.Close()
}

// WithoutDeadline removes the time limit of statements on a connection. raw is the argument of the
// function that sql.Conn.Raw calls. PostgreSQL's own limits are the caller's to remove. The
// system's keep-alive still notices a host that is gone.
func WithoutDeadline(raw any) {
	if c, ok := raw.(*conn); ok {
		c.session.WithoutDeadline()
	}
}
