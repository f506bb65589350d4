package database

import (
	"context"
	"database/sql/driver"
	"io"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
	"github.com/lib/pq"

	"forge/internal/database/pgwire"
)

// connector opens connections that keep the statements they have prepared.
type connector struct {
	driver.Connector
	statements   int  // how many each connection keeps; 0 for none
	keepOnCancel bool // the database would be gone with its connection
	textOnly     bool // lib/pq requests all values as text
}

// rawConn is what the connections of both lib/pq and modernc are.
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
		return nil, err
	}
	conn := &conn{rawConn: opened.(rawConn), keepOnCancel: c.keepOnCancel, textOnly: c.textOnly}
	if conn.session = started(); conn.session == nil {
		conn.session = noSession{}
	} else {
		pq.SetNoticeHandler(opened, conn.noticed)
	}
	conn.cancel = conn.session.Cancel
	if c.statements > 0 {
		conn.kept, err = simplelru.NewLRU(c.statements, func(_ string, p *prepared) { p.drop() })
	}
	return conn, err
}

// noSession stands for the session of a connection to SQLite, which has none.
type noSession struct{}

func (noSession) Plain() bool      { return false }
func (noSession) Cancel()          {}
func (noSession) Alive() bool      { return true }
func (noSession) Usable() bool     { return true }
func (noSession) ResetSent()       {}
func (noSession) Sent() bool       { return false }
func (noSession) WithoutDeadline() {}
func (noSession) Outdate()         {}

func (noSession) Tap(pgwire.Columns, pgwire.RowFunc) (done func() error) { return nil }

// conn is a connection with its prepared statements. database/sql ensures that only one goroutine
// uses it at a time.
type conn struct {
	rawConn
	session pgwire.Session
	cancel  func() // session.Cancel, made once
	// cancelled says that a statement was cancelled while it ran. The interrupt may hit the next
	// one, so the connection is not used again, unless keepOnCancel is set.
	cancelled, keepOnCancel bool
	textOnly                bool
	notReplicated           bool                              // see noticed
	used                    time.Time                         // when the last statement ended
	kept                    *simplelru.LRU[string, *prepared] // by text; nil if none are kept
}

// watch makes the end of ctx cancel the statement that is about to run. Run the statement with the
// context that is returned, and call done after it.
func (c *conn) watch(ctx context.Context) (watched context.Context, done func()) {
	if ctx.Done() == nil {
		return ctx, func() {}
	}
	if !c.session.Plain() {
		return ctx, func() { c.cancelled = c.cancelled || ctx.Err() != nil }
	}
	stop := context.AfterFunc(ctx, c.cancel)
	return context.Background(), func() {
		if !stop() {
			c.cancelled = true // the request could hit the next statement
		}
	}
}

// tappable reports whether rows can be tapped. With textOnly the values have other forms.
func (c *conn) tappable() bool { return c.kept != nil && c.session.Plain() && !c.textOnly }

// TapRows hands the rows of the next query to each while it runs, and none to QueryContext. The
// query must have this text. Texts and bytes are *[]byte, which are valid until each returns. Call
// done after the query's rows are closed: it returns the first error of each, or of a value.
//
// TapRows returns nil, and does nothing, on SQLite, under TLS, and for a query whose column types
// are not known, because it has not run yet on this connection or has a type without a decoder.
func (c *conn) TapRows(query string, each pgwire.RowFunc) (done func() error) {
	if !c.tappable() {
		return nil
	}
	p, ok := c.kept.Peek(query)
	if !ok || p.inUse || p.columns == nil {
		return nil
	}
	return c.session.Tap(p.columns, each)
}

// prepared is a prepared statement. It is closed when it is neither kept nor in use.
type prepared struct {
	driver.Stmt
	inUse, dropped bool
	columns        pgwire.Columns // nil if it has not run yet, or lib/pq has to decode them
}

func (p *prepared) drop() {
	p.dropped = true
	p.closeIfDone()
}

func (p *prepared) release() {
	p.inUse = false
	p.closeIfDone()
}

func (p *prepared) closeIfDone() {
	if p.dropped && !p.inUse {
		_ = p.Close()
	}
}

// prepare returns the statement of a text, which may have been prepared before. Release it after
// use.
func (c *conn) prepare(ctx context.Context, query string) (*prepared, error) {
	if p, ok := c.kept.Get(query); ok && !p.inUse {
		p.inUse = true
		return p, nil
	}
	watched, done := c.watch(ctx)
	stmt, err := c.PrepareContext(watched, query)
	done()
	if err != nil {
		return nil, err
	}
	p := &prepared{Stmt: stmt, inUse: true}
	if c.kept.Contains(query) {
		p.dropped = true // the kept one is in use, so this one is used once
	} else {
		c.kept.Add(query, p)
	}
	return p, nil
}

// QueryContext runs a query.
func (c *conn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	if c.kept == nil {
		c.session.ResetSent()
		found, err := c.rawConn.QueryContext(ctx, query, args)
		return found, c.outcome(err)
	}
	p, err := c.prepare(ctx, query)
	if err != nil {
		return nil, err
	}
	ctx, done := c.watch(ctx)
	c.session.ResetSent()
	found, err := p.Stmt.(driver.StmtQueryContext).QueryContext(ctx, args)
	if err != nil {
		done()
		err = c.outcome(err)
		c.failed(query, p, err)
		return nil, err
	}
	if p.columns == nil && c.tappable() {
		p.columns = pgwire.ColumnsOf(found)
	}
	return &rows{found, c, p, done}, nil
}

// ExecContext runs a statement. A statement without parameters is not prepared: it may be several
// statements, or control a transaction.
func (c *conn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	defer func() { c.used = time.Now() }()
	if c.kept == nil || len(args) == 0 {
		if c.kept != nil {
			watched, done := c.watch(ctx)
			defer done()
			ctx = watched
		}
		c.session.ResetSent()
		result, err := c.rawConn.ExecContext(ctx, query, args)
		return result, c.outcome(err)
	}
	p, err := c.prepare(ctx, query)
	if err != nil {
		return nil, err
	}
	ctx, done := c.watch(ctx)
	c.session.ResetSent()
	result, err := p.Stmt.(driver.StmtExecContext).ExecContext(ctx, args)
	done()
	err = c.outcome(err)
	if err != nil {
		c.failed(query, p, err)
		return nil, err
	}
	p.release()
	return result, nil
}

// failed releases a statement that has failed, and no longer keeps it, as its state is unknown. If
// the server has forgotten it, or the schema has changed its result, failed drops all statements.
func (c *conn) failed(query string, p *prepared, err error) {
	p.release()
	if kept, ok := c.kept.Peek(query); ok && kept == p {
		c.kept.Remove(query)
	}
	if staleStatement(err) {
		c.kept.Purge()
	}
}

// Close closes the connection. It closes the kept statements of SQLite first, as SQLite does not
// remove its log otherwise. PostgreSQL's end with the session; to close each takes a round trip.
func (c *conn) Close() error {
	if _, sqlite := c.session.(noSession); sqlite && c.kept != nil {
		c.kept.Purge()
	}
	return c.rawConn.Close()
}

// CheckNamedValue converts an argument to a type that the driver accepts.
func (c *conn) CheckNamedValue(v *driver.NamedValue) error {
	if checker, ok := c.rawConn.(driver.NamedValueChecker); ok {
		return checker.CheckNamedValue(v)
	}
	return driver.ErrSkip
}

// aliveTime is how long a connection counts as alive after use. To check it is a system call.
const aliveTime = 2 * time.Millisecond

// ResetSession runs before a connection is used again. It fails if the connection is dead.
func (c *conn) ResetSession(ctx context.Context) error {
	if !c.IsValid() || time.Since(c.used) > aliveTime && !c.session.Alive() {
		return driver.ErrBadConn
	}
	return c.rawConn.ResetSession(ctx)
}

// IsValid reports whether the connection may go back to the pool.
func (c *conn) IsValid() bool {
	return c.rawConn.IsValid() && (c.keepOnCancel || !c.cancelled) && c.session.Usable()
}

// rows are the rows of a kept statement.
type rows struct {
	driver.Rows
	conn *conn
	of   *prepared
	done func() // ends the watch; nil once the rows are closed
}

// Next reads the next row.
func (r *rows) Next(values []driver.Value) error {
	err := r.Rows.Next(values)
	if err != nil && err != io.EOF {
		err = r.conn.outcome(err)
	}
	return err
}

// Close closes the rows, and releases their statement.
func (r *rows) Close() error {
	err := r.conn.outcome(r.Rows.Close())
	if r.done != nil {
		r.done()
		r.of.release()
		r.conn.used = time.Now()
		r.done = nil
	}
	return err
}

// WithoutDeadline lets the statements of a connection take as long as they like. raw is the
// argument of the function that sql.Conn.Raw calls. The caller has lifted PostgreSQL's limits as
// well. A host that is gone is still noticed, by the system's keep-alive.
func WithoutDeadline(raw any) {
	if c, ok := raw.(*conn); ok {
		c.session.WithoutDeadline()
	}
}
