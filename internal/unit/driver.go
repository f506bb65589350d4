package unit

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
	"github.com/google/uuid"

	"forge/internal/database"
)

// boundDriver is the driver of a unit's client. It sends every statement through the unit.
type boundDriver struct{ u *Unit }

var _ dialect.Driver = boundDriver{}

func (d boundDriver) Dialect() string { return d.u.db.Dialect }
func (d boundDriver) Close() error    { return nil }

// Tx returns a transaction that is part of the unit's own. Ent asks for one if a mutation takes
// several statements, for example for edges to many. The context's Change then applies to none of
// them.
func (d boundDriver) Tx(ctx context.Context) (dialect.Tx, error) {
	if c := changeFrom(ctx); c != nil {
		c.used = true
	}
	return dialect.NopTx(d), nil
}

// Exec runs a statement that changes rows. Ent passes nil or a *sql.Result as v.
func (d boundDriver) Exec(ctx context.Context, query string, args, v any) error {
	result, err := d.u.exec(ctx, changeOf(ctx, query), query, args.([]any))
	if err != nil {
		return err
	}
	if v, ok := v.(*sql.Result); ok {
		*v = result
	}
	return nil
}

// Query runs a query. Ent passes its *sql.Rows as v. If ctx comes from Capture, the query is stored
// there instead and returns no rows.
func (d boundDriver) Query(ctx context.Context, query string, args, v any) error {
	rows, ok := v.(*entsql.Rows)
	if !ok {
		return fmt.Errorf("unit: rows are read into %T, not %T", rows, v)
	}
	if s := statementFrom(ctx); s != nil {
		rows.ColumnScanner = noRows{}
		s.Text, s.Args = query, args.([]any)
		return nil
	}
	d.u.mu.Lock()
	start := time.Now()
	done := func(err error) error {
		defer d.u.mu.Unlock()
		return d.u.record(ctx, query, start, err)
	}
	found, err := d.u.query(ctx, query, args.([]any))
	if err != nil {
		return done(err)
	}
	rows.ColumnScanner = &heldRows{Rows: found, done: done}
	return nil
}

// exec runs a statement that changes rows, as c says; c may be nil. It refuses the statement if an
// earlier one has committed by itself.
func (u *Unit) exec(ctx context.Context, c *Change, query string, args []any) (sql.Result, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.autocommitted != "" {
		return nil, u.record(ctx, query, time.Now(), secondWriteError(u.autocommitted, query))
	}
	autocommit := u.autocommits(c)
	if autocommit && u.Dialect() == dialect.SQLite {
		// The driver would report a statement as cancelled although it was stored.
		ctx = context.WithoutCancel(ctx)
	}
	result, err := u.run(ctx, c, query, args, autocommit)
	if autocommit {
		err = u.noteAutocommit(query, result, err)
	}
	return result, err
}

// run runs a statement that changes rows. The caller holds mu.
func (u *Unit) run(ctx context.Context, c *Change, query string, args []any, autocommit bool) (sql.Result, error) {
	if c != nil && c.Returning != "" {
		return u.returning(ctx, c, query, args, autocommit)
	}
	if err := u.open(ctx, autocommit); err != nil {
		return nil, err
	}
	start := time.Now()
	result, err := u.conn.ExecContext(ctx, query, u.bind(args)...)
	return result, u.record(ctx, query, start, err)
}

// noteAutocommit notes the outcome of a statement that commits by itself.
func (u *Unit) noteAutocommit(query string, result sql.Result, err error) error {
	if err != nil {
		return u.commitError(err)
	}
	if n, err := result.RowsAffected(); n > 0 || err != nil {
		u.autocommitted = query
	}
	return nil
}

// query runs a query and leaves its rows open. The caller holds mu until they are closed.
func (u *Unit) query(ctx context.Context, query string, args []any) (*sql.Rows, error) {
	reads := strings.HasPrefix(query, "SELECT") // other statements may change rows and return them
	if u.autocommitted != "" && !reads {
		return nil, secondWriteError(u.autocommitted, query)
	}
	// A policy's look-up before a statement that commits by itself needs no transaction either.
	c := changeFrom(ctx)
	if err := u.open(ctx, reads && c != nil && !c.used && u.autocommits(c)); err != nil {
		return nil, err
	}
	return u.conn.QueryContext(ctx, query, u.bind(args)...)
}

// Rows runs a query and calls each with its rows. It closes the rows afterwards, also after a
// panic, because open rows would hold the connection forever.
func (u *Unit) Rows(ctx context.Context, each func(*sql.Rows) error, query string, args ...any) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	start := time.Now()
	rows, err := u.query(ctx, query, args)
	if err == nil {
		err = readAll(rows, each)
	}
	return u.record(ctx, query, start, err)
}

func readAll(rows *sql.Rows, each func(*sql.Rows) error) error {
	defer rows.Close()
	return cmp.Or(each(rows), rows.Err(), rows.Close())
}

// Now returns the time by the database's clock, to the microsecond. All servers share this clock.
// On SQLite it is the machine's clock: all processes that use the file run on that machine.
func (u *Unit) Now(ctx context.Context) (now time.Time, err error) {
	if u.Dialect() == dialect.SQLite {
		return time.Now().UTC().Truncate(time.Microsecond), nil
	}
	err = u.Rows(ctx, func(rows *sql.Rows) error {
		rows.Next()
		return rows.Scan(&now)
	}, "SELECT clock_timestamp()")
	return now.UTC(), err
}

// Exec runs a statement and returns how many rows it changed.
func (u *Unit) Exec(ctx context.Context, query string, args ...any) (int64, error) {
	result, err := u.exec(ctx, changeFrom(ctx), query, args)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// record counts a statement and reports it to the database's Watch function. It returns the
// statement's failure with the statement's text. If PostgreSQL refused the statement because an
// earlier one had failed, it returns that earlier failure instead.
func (u *Unit) record(ctx context.Context, query string, start time.Time, err error) error {
	took := time.Since(start)
	u.cost.Statements++
	u.cost.Time += took
	if err != nil {
		if u.aborted != nil && database.Aborted(err) {
			err = u.aborted
		}
		err = database.WithStatement(query, err)
		u.last = err
		if u.begun {
			u.aborted = err
		}
		if u.mode == Write && database.ReadOnly(err) && u.conn.Conn != nil {
			u.conn.Outdate() // the server is no longer the primary
		}
	}
	if u.db.Watch != nil {
		u.db.Watch(ctx, query, took, err)
	}
	return err
}

// bind converts UUIDs, and lists of UUIDs, to the form that the database takes. It changes args.
func (u *Unit) bind(args []any) []any {
	for i, arg := range args {
		switch id := arg.(type) {
		case uuid.UUID:
			args[i] = id[:]
		case *uuid.UUID:
			if id != nil {
				args[i] = id[:]
			}
		case []uuid.UUID:
			if u.Dialect() == dialect.SQLite {
				args[i] = hexList(id)
			} else {
				args[i] = uuidArray(id)
			}
		}
	}
	return args
}

// heldRows are the open rows of a query. The unit runs no other statement until they are closed.
type heldRows struct {
	*sql.Rows
	done func(error) error
}

// Close closes the rows and lets the next statement run. It also returns an error that came after
// the first rows, as from a query that waits for the lock of each row in turn.
func (r *heldRows) Close() error {
	err := r.Rows.Close()
	if r.done != nil {
		err = r.done(cmp.Or(r.Rows.Err(), err))
		r.done = nil
	}
	return err
}

// noRows is the empty result of a query that was captured and not run.
type noRows struct{}

func (noRows) Close() error                            { return nil }
func (noRows) ColumnTypes() ([]*sql.ColumnType, error) { return nil, nil }
func (noRows) Columns() ([]string, error)              { return nil, nil }
func (noRows) Err() error                              { return nil }
func (noRows) Next() bool                              { return false }
func (noRows) NextResultSet() bool                     { return false }
func (noRows) Scan(...any) error                       { return sql.ErrNoRows }
