package database

import (
	"cmp"
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"maps"
	"slices"
	"sync/atomic"
	"time"

	"entgo.io/ent/dialect"
	"github.com/lib/pq"

	"forge/internal/apperr"
	"forge/internal/cache"
	"forge/internal/database/pgwire"
	"forge/internal/telemetry"
)

// Conn is a connection that was acquired from the pool. The caller returns it with Close, once.
type Conn struct {
	*sql.Conn
	slots  chan struct{}
	commit time.Duration // the limit of a COMMIT; 0 for none
}

// Acquire takes a connection from the pool, to be returned with Close. If none is free within the
// pool timeout, or the database cannot be reached, it returns an *apperr.Error with the code
// UNAVAILABLE.
func (db *DB) Acquire(ctx context.Context) (Conn, error) {
	start := time.Now()
	conn, err := db.acquire(ctx)
	if db.Waited != nil {
		db.Waited(time.Since(start))
	}
	return conn, err
}

// AcquireBy is Acquire with a time after which it returns the error of a database that cannot be
// reached. The time is ignored if it is zero.
func (db *DB) AcquireBy(ctx context.Context, late time.Time) (Conn, error) {
	if late.IsZero() {
		return db.Acquire(ctx)
	}
	within, cancel := context.WithDeadline(ctx, late)
	defer cancel()
	conn, err := db.Acquire(within)
	if err != nil && within.Err() != nil && ctx.Err() == nil {
		err = unavailable(connectError{err})
	}
	return conn, err
}

func (db *DB) acquire(ctx context.Context) (Conn, error) {
	if err := db.enter(ctx, db.slots, "all connections to the database are in use; try again"); err != nil {
		return Conn{}, err
	}
	conn, err := db.Conn(ctx)
	if tooManyConnections(err) {
		conn, err = db.awaitRoom(ctx, err)
	}
	if err != nil {
		<-db.slots
		if ctx.Err() == nil {
			err = unavailable(err)
		}
		return Conn{}, err
	}
	c := Conn{Conn: conn, slots: db.slots}
	if db.Dialect == dialect.Postgres {
		c.commit = db.Options.CommitTimeout // on SQLite, a COMMIT waits only for the disk
	}
	return c, nil
}

// enter waits for one of a number of places, such as connections, and takes it. The pool of
// database/sql can wait as well, but with a limit only if each call gets a context with a timer,
// and a wait is rare. If no place comes free within the pool timeout, enter returns an
// *apperr.Error with the code UNAVAILABLE and the message refusal.
func (db *DB) enter(ctx context.Context, places chan struct{}, refusal string) error {
	select {
	case places <- struct{}{}:
		return nil
	default:
	}
	late := time.NewTimer(db.Options.PoolTimeout)
	defer late.Stop()
	select {
	case places <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-late.C:
		telemetry.FromContext(ctx).Refuse(telemetry.PoolTimeout)
		return &apperr.Error{Code: apperr.CodeUnavailable, Message: refusal, Cause: errPoolTimeout}
	}
}

// Begin returns the statement that begins a transaction. PgBouncer does not keep the settings of a
// session, so behind it the statement also sets the limits of the transaction.
func (db *DB) Begin(write bool) string {
	if db.Dialect == dialect.SQLite {
		if write {
			// A transaction that begins with a read and writes later fails if another one wrote in
			// between.
			return "BEGIN IMMEDIATE"
		}
		return "BEGIN"
	}
	begin := "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
	switch {
	case write && db.Options.Serializable:
		begin = "BEGIN ISOLATION LEVEL SERIALIZABLE"
	case write:
		begin = "BEGIN"
	}
	if db.Options.PgBouncer {
		limits := db.Options.limits()
		for _, name := range slices.Sorted(maps.Keys(limits)) {
			begin += "; SET LOCAL " + name + " = " + limits[name]
		}
	}
	return begin
}

// Read runs a query and calls each with the values of every row. The values are the driver's own,
// without the copy and conversion of database/sql. They are valid until each returns.
func (c Conn) Read(ctx context.Context, query string, args []any, each func([]driver.Value) error) error {
	return c.Raw(func(raw any) error {
		return raw.(*conn).read(ctx, query, args, each)
	})
}

// Commit commits the connection's transaction. It does not stop when ctx ends: once a COMMIT has
// begun, the server may complete it whatever becomes of the request. If Commit returns an error and
// OutcomeUnknown(err) is true, the data may be stored. After any other error they are not.
func (c Conn) Commit(ctx context.Context) error {
	ctx, cancel := c.commitContext(ctx)
	defer cancel()
	_, err := c.ExecContext(ctx, "COMMIT")
	return err
}

// commitContext returns the context of a commit, and a function to call after it.
func (c Conn) commitContext(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx = context.WithoutCancel(ctx)
	if c.commit == 0 {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, c.commit)
}

// Close returns the connection to the pool.
func (c Conn) Close() error {
	err := c.Conn.Close()
	<-c.slots
	return err
}

// conn is a connection with its prepared statements. database/sql ensures that only one goroutine
// at a time uses it.
type conn struct {
	rawConn
	session pgwire.Session
	cancel  func() // session.Cancel, made once
	sqlite  bool
	plain   bool // the session can cancel statements
	// cancelled says that a statement was cancelled while it ran. The request to cancel may reach
	// the server during a later statement, so the connection is not used again unless keepOnCancel
	// is set.
	cancelled, keepOnCancel bool
	notReplicated           bool                    // see noticed
	on                      int64                   // the timeline of the server, if newest is not nil
	newest                  *atomic.Int64           // see hosts.timeline
	server                  string                  // of a replica: see ServerIdentity
	current                 func() string           // of a replica: see Options.Server
	used                    time.Time               // when the last statement ended
	kept                    *cache.Cache[*prepared] // by text; nil if none are kept
}

// aliveTime is how long after its last use a connection is taken to be alive. A check takes a
// system call.
const aliveTime = 2 * time.Millisecond

// ResetSession runs before database/sql uses a connection again. It returns driver.ErrBadConn if
// the connection is dead.
func (c *conn) ResetSession(ctx context.Context) error {
	if !c.IsValid() || time.Since(c.used) > aliveTime && !c.session.Alive() {
		return driver.ErrBadConn
	}
	return c.rawConn.ResetSession(ctx)
}

// IsValid reports whether the connection may return to the pool.
func (c *conn) IsValid() bool {
	return c.rawConn.IsValid() && (c.keepOnCancel || !c.cancelled) && c.session.Usable() && !c.session.Pending() &&
		(c.newest == nil || c.newest.Load() == c.on) && (c.current == nil || c.current() == c.server)
}

// watch has the end of ctx cancel the statement that is about to run. The caller runs the statement
// with the returned context, and calls done afterwards.
func (c *conn) watch(ctx context.Context) (watched context.Context, done func()) {
	if ctx.Done() == nil {
		return ctx, func() {}
	}
	if !c.plain {
		return ctx, func() { c.cancelled = c.cancelled || ctx.Err() != nil }
	}
	stop := context.AfterFunc(ctx, c.cancel)
	return context.Background(), func() {
		if !stop() {
			c.cancelled = true // the request to cancel could reach the next statement
		}
	}
}

// ExecContext runs a statement. It does not prepare a statement without parameters, because that
// may be several statements or control a transaction.
func (c *conn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	defer func() { c.used = time.Now() }()
	if len(args) == 0 && c.session.Pending() {
		if query == "ROLLBACK" { // of a transaction that has not begun
			c.session.Drop()
			return driver.RowsAffected(0), nil
		}
		if err := c.flush(ctx); err != nil {
			return nil, err
		}
	}
	if c.kept == nil || len(args) == 0 {
		if c.kept != nil {
			watched, done := c.watch(ctx)
			defer done()
			ctx = watched
		}
		c.session.Begin()
		result, err := c.rawConn.ExecContext(ctx, query, args)
		return result, c.outcome(err)
	}
	p, err := c.prepare(ctx, query)
	if err != nil {
		return nil, err
	}
	ctx, done := c.watch(ctx)
	c.session.Begin()
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

// read runs a query and calls each with the values of every row.
func (c *conn) read(ctx context.Context, query string, args []any, each func([]driver.Value) error) (err error) {
	values, err := c.named(args)
	if err != nil {
		return err
	}
	found, err := c.QueryContext(ctx, query, values)
	if err != nil {
		return err
	}
	defer func() { err = cmp.Or(err, found.Close()) }()
	return all(ctx, found, each)
}

// named converts arguments as database/sql does.
func (c *conn) named(args []any) ([]driver.NamedValue, error) {
	values := make([]driver.NamedValue, len(args))
	for i, arg := range args {
		values[i] = driver.NamedValue{Ordinal: i + 1, Value: arg}
		err := c.CheckNamedValue(&values[i])
		if errors.Is(err, driver.ErrSkip) {
			values[i].Value, err = driver.DefaultParameterConverter.ConvertValue(arg)
		}
		if err != nil {
			return nil, err
		}
	}
	return values, nil
}

// all calls each with every row. It checks ctx now and then, because SQLite does not notice the end
// of ctx between two rows.
func all(ctx context.Context, found driver.Rows, each func([]driver.Value) error) error {
	const between = 256
	values := make([]driver.Value, len(found.Columns()))
	for n := 1; ; n++ {
		if err := found.Next(values); err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
		if err := each(values); err != nil {
			return err
		}
		if n%between == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
	}
}

// QueryContext runs a query and returns its rows.
func (c *conn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	if c.kept == nil {
		if len(args) == 0 {
			if err := c.flush(ctx); err != nil {
				return nil, err
			}
		}
		c.session.Begin()
		found, err := c.rawConn.QueryContext(ctx, query, args)
		return found, c.outcome(err)
	}
	p, err := c.prepare(ctx, query)
	if err != nil {
		return nil, err
	}
	ctx, done := c.watch(ctx)
	c.session.Begin()
	found, err := p.Stmt.(driver.StmtQueryContext).QueryContext(ctx, args)
	if err != nil {
		done()
		err = c.outcome(err)
		c.failed(query, p, err)
		return nil, err
	}
	return &rows{found, c, p, done}, nil
}

// prepared is a prepared statement. It is closed when it is no longer kept and no longer in use.
type prepared struct {
	driver.Stmt
	inUse, dropped bool
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

// prepare returns a prepared statement for the text, which it may have kept from earlier. The
// caller calls release after use.
func (c *conn) prepare(ctx context.Context, query string) (*prepared, error) {
	if p, ok := c.kept.Get(query); ok && !p.inUse {
		p.inUse = true
		return p, nil
	}
	watched, done := c.watch(ctx)
	stmt, err := c.PrepareContext(watched, query)
	done()
	if err != nil {
		c.refused(err)
		return nil, err
	}
	p := &prepared{Stmt: stmt, inUse: true}
	if len(query) > preparedBytes/4 || !c.kept.Add(query, p, 0) {
		p.dropped = true // it is too long, or the kept one is in use: this one is closed after its use
	}
	return p, nil
}

// failed releases a statement that has failed, and does not keep it, because its state is unknown.
// If the server no longer knows the statement, or its result has changed with the schema, failed
// drops all kept statements.
func (c *conn) failed(query string, p *prepared, err error) {
	p.release()
	if kept, ok := c.kept.Get(query); ok && kept == p {
		c.kept.Remove(query)
	}
	if staleStatement(err) {
		c.kept.Purge()
	}
}

// outcome returns the error of a statement that has ended. If the server may have executed the
// statement without reporting an error, outcome wraps the error in unanswered, for OutcomeUnknown.
// It returns an error even for a success if the server gave notice that the data were not
// replicated.
func (c *conn) outcome(err error) error {
	if err == nil {
		if c.notReplicated {
			c.notReplicated = false
			c.session.Outdate() // the server may be cut off, and another one the primary
			return unanswered{errNotReplicated}
		}
		return nil
	}
	if c.refused(err) || !c.session.Sent() {
		return err
	}
	return unanswered{err}
}

// refused reports whether err is the answer of a server that has not executed a statement. If the
// server has stopped being a primary, or is ending, refused keeps this connection, and all of the
// pool that are as old, from being used again.
func (c *conn) refused(err error) bool {
	e, ok := errors.AsType[*pq.Error](err)
	if !ok {
		return false
	}
	if noPrimary(e) {
		c.session.Outdate()
	}
	return e.Code.Class() != "08" // which a proxy answers when it has lost the server
}

// rows holds the rows of a kept statement.
type rows struct {
	driver.Rows
	conn *conn
	of   *prepared
	done func() // ends the watch; nil after Close
}

// Next reads the next row.
func (r *rows) Next(values []driver.Value) error {
	err := r.Rows.Next(values)
	if err != nil && err != io.EOF {
		err = r.conn.outcome(err)
	}
	return err
}

// Close closes the rows, and releases the statement.
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
