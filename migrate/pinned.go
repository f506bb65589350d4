package migrate

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"

	"entgo.io/ent/dialect"
)

// onOneConnection calls f with a *sql.DB that is nothing but the connection
// conn. goose wants a *sql.DB and takes connections from it as it likes, but
// the lock, and what SQLite is told before a migration, belong to one.
func onOneConnection(conn *sql.Conn, name string, f func(*sql.DB) error) error {
	return conn.Raw(func(raw any) error {
		db := sql.OpenDB(&pinned{Conn: raw.(driver.Conn), inTransaction: name == dialect.SQLite})
		db.SetMaxOpenConns(1)
		defer db.Close()
		return f(db)
	})
}

// pinned is a driver connection that is lent, not owned, and the connector
// that hands it out. database/sql looks for each of its optional methods.
type pinned struct {
	driver.Conn
	inTransaction bool // one is open already, so what is begun on top is a savepoint
}

func (p *pinned) Connect(context.Context) (driver.Conn, error) { return p, nil }

func (p *pinned) Driver() driver.Driver { return nil }

// Close leaves the connection to its owner.
func (p *pinned) Close() error { return nil }

// ExecContext adds the statement to an error, which goose does not.
func (p *pinned) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	conn, ok := p.Conn.(driver.ExecerContext)
	if !ok {
		return nil, driver.ErrSkip
	}
	result, err := conn.ExecContext(ctx, query, args)
	if err != nil && err != driver.ErrSkip {
		err = fmt.Errorf("%w, in the statement\n%s", err, query)
	}
	return result, err
}

func (p *pinned) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	if conn, ok := p.Conn.(driver.QueryerContext); ok {
		return conn.QueryContext(ctx, query, args)
	}
	return nil, driver.ErrSkip
}

func (p *pinned) CheckNamedValue(value *driver.NamedValue) error {
	if conn, ok := p.Conn.(driver.NamedValueChecker); ok {
		return conn.CheckNamedValue(value)
	}
	return driver.ErrSkip
}

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

// A savepoint is a transaction within the one that is open.
type savepoint struct{ conn *pinned }

func (s savepoint) Commit() error {
	return s.conn.exec(context.Background(), "RELEASE migration")
}

func (s savepoint) Rollback() error {
	return s.conn.exec(context.Background(), "ROLLBACK TO migration; RELEASE migration")
}
