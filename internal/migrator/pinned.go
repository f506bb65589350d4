package migrator

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"strings"

	"entgo.io/ent/dialect"
)

// onOneConnection calls f with a *sql.DB that always uses conn. goose wants a *sql.DB and takes
// any of its connections, but the lock and the settings of SQLite belong to one connection.
func onOneConnection(conn *sql.Conn, name string, f func(*sql.DB, *pinned) error) error {
	return conn.Raw(func(raw any) error {
		p := &pinned{Conn: raw.(driver.Conn), inTransaction: name == dialect.SQLite}
		db := sql.OpenDB(p)
		db.SetMaxOpenConns(1)
		defer db.Close()
		return f(db, p)
	})
}

// A pinned is a driver connection that somebody else owns, and the connector that returns it. Its
// further methods are the optional ones that database/sql looks for.
type pinned struct {
	driver.Conn
	inTransaction bool  // a transaction is open, so BeginTx makes a savepoint
	running       *step // the step whose statements are counted; see watch
	seen          int   // how many of them have come
	skip          bool  // they are not run, since they have run before
}

// watch begins to count the statements of a step, so that an error can name the statement. With
// skip they are not run. With a nil step it stops counting.
func (p *pinned) watch(s *step, skip bool) { p.running, p.seen, p.skip = s, 0, skip }

// Connect returns the connection itself.
func (p *pinned) Connect(context.Context) (driver.Conn, error) { return p, nil }

// Driver returns nil: nothing uses it.
func (p *pinned) Driver() driver.Driver { return nil }

// Close does nothing, since somebody else owns the connection.
func (p *pinned) Close() error { return nil }

// ExecContext runs a statement. If a statement of the step fails, the error says which one; goose
// does not.
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

// recognise returns the number of a statement in its section, or 0 if it is not part of the step.
func (p *pinned) recognise(query string) int {
	if p.running == nil {
		return 0
	}
	section := p.running.script.section(p.running.down)
	// In some cases goose sends the comment before a statement along.
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

// A savepoint stands for a transaction within the open one.
type savepoint struct{ conn *pinned }

// Commit releases the savepoint.
func (s savepoint) Commit() error {
	return s.conn.exec(context.Background(), "RELEASE migration")
}

// Rollback undoes everything since the savepoint.
func (s savepoint) Rollback() error {
	return s.conn.exec(context.Background(), "ROLLBACK TO migration; RELEASE migration")
}
