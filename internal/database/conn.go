package database

import (
	"context"
	"database/sql/driver"
	"io"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
	"github.com/lib/pq"
)

// connector opens connections that keep the statements they prepared, and that notice before they are used that they are dead.
type connector struct {
	driver.Connector
	statements int  // kept by each connection; 0 for none
	precious   bool // the database is gone with its connection
	asText     bool // lib/pq was told to ask for no value in binary form
}

// rawConn is what both lib/pq's and modernc's connections are.
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
	ctx, socket := withSocket(ctx)
	opened, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	socket.begun()
	conn := &conn{rawConn: opened.(rawConn), socket: socket, cancel: socket.cancel, precious: c.precious, asText: c.asText}
	if socket.conn != nil {
		pq.SetNoticeHandler(opened, conn.noticed)
	}
	if c.statements > 0 {
		conn.kept, err = simplelru.NewLRU(c.statements, func(_ string, p *prepared) { p.drop() })
	}
	return conn, err
}

// conn is a connection with its prepared statements. database/sql sees to it that one goroutine uses it at a time.
type conn struct {
	rawConn
	socket *socket
	cancel func() // socket.cancel, made once
	// A statement was given up while it ran. What SQLite interrupts may be the next one, so the connection is not used again, unless
	// it is precious.
	givenUp, precious bool
	asText            bool
	notReplicated     bool                              // see noticed
	used              time.Time                         // when the last statement ended
	kept              *simplelru.LRU[string, *prepared] // by text; nil if none are kept
}

// prepared is a statement that is kept. It is closed when it is neither kept nor in use.
type prepared struct {
	driver.Stmt
	inUse, dropped bool
	decoders       []decoder // of its columns; nil if it has not run yet, or lib/pq has to decode them
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

// take returns the statement of a text, prepared now or before. Release it after use.
func (c *conn) take(ctx context.Context, query string) (*prepared, error) {
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
		p.dropped = true // its rows are being read at this moment: this one is for once
	} else {
		c.kept.Add(query, p)
	}
	return p, nil
}

// QueryContext runs a query.
func (c *conn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	if c.kept == nil {
		c.begin()
		found, err := c.rawConn.QueryContext(ctx, query, args)
		return found, c.outcome(err)
	}
	p, err := c.take(ctx, query)
	if err != nil {
		return nil, err
	}
	ctx, done := c.watch(ctx)
	c.begin()
	found, err := p.Stmt.(driver.StmtQueryContext).QueryContext(ctx, args)
	if err != nil {
		done()
		err = c.outcome(err)
		c.failed(query, p, err)
		return nil, err
	}
	if p.decoders == nil && c.diverts() {
		p.decoders = decodersOf(found)
	}
	return &rows{found, c, p, done}, nil
}

// ExecContext runs a statement. One without parameters may be several, or control a transaction: it is not prepared.
func (c *conn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	defer func() { c.used = time.Now() }()
	if c.kept == nil || len(args) == 0 {
		if c.kept != nil {
			watched, done := c.watch(ctx)
			defer done()
			ctx = watched
		}
		c.begin()
		result, err := c.rawConn.ExecContext(ctx, query, args)
		return result, c.outcome(err)
	}
	p, err := c.take(ctx, query)
	if err != nil {
		return nil, err
	}
	ctx, done := c.watch(ctx)
	c.begin()
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

// failed releases a statement that did not succeed, and does not keep it: it may not be in a state to be used again. If the server
// does not know it any more, or its result has changed with the schema, none that were prepared before are to be trusted.
func (c *conn) failed(query string, p *prepared, err error) {
	p.release()
	if kept, ok := c.kept.Peek(query); ok && kept == p {
		c.kept.Remove(query)
	}
	if staleStatement(err) {
		c.kept.Purge()
	}
}

// Close closes the connection, and before it the kept statements of SQLite, which would not clear
// away its log otherwise. PostgreSQL's end with the session; each would be a round trip.
func (c *conn) Close() error {
	if c.kept != nil && c.socket.wire == nil {
		c.kept.Purge()
	}
	return c.rawConn.Close()
}

// CheckNamedValue converts an argument as the driver wants it.
func (c *conn) CheckNamedValue(v *driver.NamedValue) error {
	if checker, ok := c.rawConn.(driver.NamedValueChecker); ok {
		return checker.CheckNamedValue(v)
	}
	return driver.ErrSkip
}

// fresh is for how long a connection that was used is taken to live without a look at it, which is a system call.
const fresh = 2 * time.Millisecond

// ResetSession is called before a connection is used again.
func (c *conn) ResetSession(ctx context.Context) error {
	if !c.IsValid() || time.Since(c.used) > fresh && !c.socket.alive() {
		return driver.ErrBadConn
	}
	return c.rawConn.ResetSession(ctx)
}

// IsValid reports whether the connection may go back to the pool.
func (c *conn) IsValid() bool {
	return c.rawConn.IsValid() && (c.precious || !c.givenUp) && !c.socket.wire.spent()
}

// rows are those of a kept statement.
type rows struct {
	driver.Rows
	conn *conn
	of   *prepared
	done func() // of the watch; nil once they are closed
}

// Next reads the next row.
func (r *rows) Next(values []driver.Value) error {
	err := r.Rows.Next(values)
	if err != nil && err != io.EOF {
		err = r.conn.outcome(err)
	}
	return err
}

// Close closes the rows; their statement can be used again.
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
