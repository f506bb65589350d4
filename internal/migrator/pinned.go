package migrator

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"strings"

	"entgo.io/ent/dialect"
)

// onOneConnection calls f with a *sql.DB that uses only conn. goose demands a *sql.DB and may use
// any of its connections, but the lock and SQLite's settings belong to one connection.
func onOneConnection(conn *sql.Conn, name string, f func(*sql.DB, *pinned) error) error {
	return conn.Raw(func(raw any) error {
		p := &pinned{Conn: raw.(driver.Conn), inTransaction: name == dialect.SQLite}
		db := sql.OpenDB(p)
		db.SetMaxOpenConns(1)
		defer db.Close()
		return f(db, p)
	})
}

// A pinned wraps a driver connection that belongs to other code. It is also a driver.Connector,
// which returns the same connection at every call. The optional methods of a driver connection are
// passed on, because database/sql looks for them.
type pinned struct {
	driver.Conn
	inTransaction bool  // whether a transaction is open, so that BeginTx creates a savepoint
	running       *step // the step whose statements are counted: see watch
	seen          int   // the number of statements of the step that have come
	skip          bool  // the statements of the step are not run, because their work is done
}

// watch begins to count the statements of a step, so that an error can name its statement. With
// skip, these statements are not run. If s is nil, the counting ends.
func (p *pinned) watch(s *step, skip bool) { p.running, p.seen, p.skip = s, 0, skip }

// Connect returns the connection itself.
func (p *pinned) Connect(context.Context) (driver.Conn, error) { return p, nil }

// Driver returns nil, because nothing uses the driver.
func (p *pinned) Driver() driver.Driver { return nil }

// Close does nothing, because the connection belongs to somebody else.
func (p *pinned) Close() error { return nil }

// ExecContext runs a statement. If a statement of the step fails, the error names the statement,
// which goose's own error does not.
func (p *pinned) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	conn, ok := p.Conn.(driver.ExecerContext)
	if !ok {
		return nil, driver.ErrSkip
	}
	number := p.recognise(query)
	if number > 0 && p.skip {
		return driver.RowsAffected(0), nil
	}
	result, err := conn.ExecContext(ctx, query, args)
	if err != nil && err != driver.ErrSkip && number > 0 {
		err = p.running.failed(number, query, err)
	}
	return result, err
}

// recognise returns the number of a statement in the step's section, or 0 if the statement is not
// part of the step.
func (p *pinned) recognise(query string) int {
	if p.running == nil {
		return 0
	}
	section := p.running.script.section(p.running.down)
	// goose sometimes sends the comment above a statement as well.
	if p.seen == len(section) || !strings.HasSuffix(query, section[p.seen].Text) {
		return 0
	}
	p.seen++
	return p.seen
}

// QueryContext passes a query on to the connection.
func (p *pinned) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	if conn, ok := p.Conn.(driver.QueryerContext); ok {
		return conn.QueryContext(ctx, query, args)
	}
	return nil, driver.ErrSkip
}

// CheckNamedValue passes a value on to the connection.
func (p *pinned) CheckNamedValue(value *driver.NamedValue) error {
	if conn, ok := p.Conn.(driver.NamedValueChecker); ok {
		return conn.CheckNamedValue(value)
	}
	return driver.ErrSkip
}

// BeginTx begins a transaction, or a savepoint if the connection has a transaction already.
func (p *pinned) BeginTx(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	if p.inTransaction {
		return savepoint{p}, p.exec(ctx, "SAVEPOINT migration")
	}
	if conn, ok := p.Conn.(driver.ConnBeginTx); ok {
		return conn.BeginTx(ctx, opts)
	}
	return nil, errors.New("the database driver has no BeginTx")
}

func (p *pinned) exec(ctx context.Context, query string) error {
	_, err := p.ExecContext(ctx, query, nil)
	return err
}

// A savepoint serves as a transaction inside the open transaction.
type savepoint struct{ conn *pinned }

// Commit releases the savepoint.
func (s savepoint) Commit() error {
	return s.conn.exec(context.Background(), "RELEASE migration")
}

// Rollback undoes everything since the savepoint.
func (s savepoint) Rollback() error {
	return s.conn.exec(context.Background(), "ROLLBACK TO migration; RELEASE migration")
}
