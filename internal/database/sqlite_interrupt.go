package database

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"reflect"
	"sync"
	"time"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"
)

// SQLite has no statement timeout, and its driver checks a context only until the first row. The
// search for the second row may take minutes. So this file interrupts a statement at any row.

// interruptible opens SQLite connections whose prepared statements end with their context, and also
// after limit, unless it is 0. Statements that are not prepared have no limit: migrations, BEGIN,
// COMMIT and ROLLBACK.
type interruptible struct {
	driver.Connector
	limit time.Duration
}

// Connect opens a connection.
func (i interruptible) Connect(ctx context.Context) (driver.Conn, error) {
	opened, err := i.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	handle := reflect.ValueOf(opened).Elem().FieldByName("db")
	if handle.Kind() != reflect.Uintptr {
		_ = opened.Close()
		return nil, fmt.Errorf("%T has no handle of a database: this version of the driver is not known", opened)
	}
	return &interruptibleConn{opened.(rawConn), uintptr(handle.Uint()), i.limit}, nil
}

type interruptibleConn struct {
	rawConn
	handle uintptr // SQLite's pointer to the connection
	limit  time.Duration
}

// PrepareContext prepares a statement.
func (c *interruptibleConn) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	stmt, err := c.rawConn.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	return &interruptibleStmt{stmt, c}, nil
}

type interruptibleStmt struct {
	driver.Stmt
	conn *interruptibleConn
}

// QueryContext runs the statement and returns its rows. The next row fails after ctx has ended.
func (s *interruptibleStmt) QueryContext(ctx context.Context, args []driver.NamedValue) (driver.Rows, error) {
	w := s.conn.watch(ctx)
	found, err := s.Stmt.(driver.StmtQueryContext).QueryContext(context.Background(), args)
	if err != nil {
		w.end()
		return nil, w.reason(err)
	}
	return &interruptibleRows{found, w}, nil
}

// ExecContext runs the statement. It returns the error of ctx if ctx ends before the statement.
func (s *interruptibleStmt) ExecContext(ctx context.Context, args []driver.NamedValue) (driver.Result, error) {
	w := s.conn.watch(ctx)
	defer w.end()
	result, err := s.Stmt.(driver.StmtExecContext).ExecContext(context.Background(), args)
	return result, w.reason(err)
}

type interruptibleRows struct {
	driver.Rows
	watch *statementWatch
}

// Next reads a row.
func (r *interruptibleRows) Next(values []driver.Value) error {
	return r.watch.reason(r.Rows.Next(values))
}

// Close closes the rows.
func (r *interruptibleRows) Close() error {
	r.watch.end()
	return r.Rows.Close()
}

// statementWatch interrupts one statement when its context or its time limit ends.
type statementWatch struct {
	handle uintptr
	timer  *time.Timer // nil without a limit
	stop   func() bool // stops waiting for the context; nil if the context never ends

	mu   sync.Mutex
	over bool
	why  error // why the statement was interrupted, or nil
}

// errStatementTimeout is an error of its own. context.DeadlineExceeded is a net.Error, and would
// look like a lost connection.
var errStatementTimeout = errors.New("the statement ran for longer than STATEMENT_TIMEOUT")

func (c *interruptibleConn) watch(ctx context.Context) *statementWatch {
	w := &statementWatch{handle: c.handle}
	if c.limit > 0 {
		w.timer = time.AfterFunc(c.limit, func() { w.interrupt(errStatementTimeout) })
	}
	if ctx.Done() != nil {
		w.stop = context.AfterFunc(ctx, func() { w.interrupt(ctx.Err()) })
	}
	return w
}

// interrupt ends the statement if it still runs. It has no effect on a later statement of the
// connection.
func (w *statementWatch) interrupt(why error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.over || w.why != nil {
		return
	}
	w.why = why
	tls := libc.NewTLS()
	defer tls.Close()
	sqlite3.Xsqlite3_interrupt(tls, w.handle)
}

// end marks the statement as ended, so that it is not interrupted later.
func (w *statementWatch) end() {
	if w.timer != nil {
		w.timer.Stop()
	}
	if w.stop != nil {
		w.stop()
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.over = true
}

// reason returns why the statement was interrupted, if err comes from the interrupt. Otherwise it
// returns err.
func (w *statementWatch) reason(err error) error {
	if err == nil || errors.Is(err, io.EOF) {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.why != nil && isSQLite(err, sqlite3.SQLITE_INTERRUPT) {
		return w.why
	}
	return err
}
