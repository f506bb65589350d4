package migrator

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"strings"

	"entgo.io/ent/dialect"
)

// onOneConnection calls f with a *sql.DB that is nothing but the connection
// conn. goose wants a *sql.DB and takes connections from it as it likes, but
// the lock, and what SQLite is told before a migration, belong to one.
func onOneConnection(conn *sql.Conn, name string, f func(*sql.DB, *pinned) error) error {
	return conn.Raw(func(raw any) error {
		p := &pinned{Conn: raw.(driver.Conn), inTransaction: name == dialect.SQLite}
		db := sql.OpenDB(p)
		db.SetMaxOpenConns(1)
		defer db.Close()
		return f(db, p)
	})
}

// pinned is a driver connection that is lent, not owned, and the connector
// that hands it out. database/sql looks for each of its optional methods.
type pinned struct {
	driver.Conn
	inTransaction bool  // one is open already, so what is begun on top is a savepoint
	running       *step // whose statements come, see watch
	seen          int   // how many of them came
	skip          bool  // they have been done already
}

// watch has the statements of a step recognised, from the first one on.
func (p *pinned) watch(s *step, skip bool) { p.running, p.seen, p.skip = s, 0, skip }

func (p *pinned) Connect(context.Context) (driver.Conn, error) { return p, nil }

func (p *pinned) Driver() driver.Driver { return nil }

// Close leaves the connection to its owner.
func (p *pinned) Close() error { return nil }

// ExecContext says which statement of the running step an error is about,
// which goose does not.
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

// recognise returns the number of a statement in its section, 0 when it is none.
func (p *pinned) recognise(query string) int {
	if p.running == nil {
		return 0
	}
	section := p.running.script.section(p.running.down)
	// goose keeps a comment before a statement in some cases.
	if p.seen == len(section) || !strings.HasSuffix(query, section[p.seen].Text) {
		return 0
	}
	p.seen++
	return p.seen
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
