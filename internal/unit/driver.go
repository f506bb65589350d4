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

// boundDriver is the driver that ent sees: it sends every statement through its unit.
type boundDriver struct{ u *Unit }

var _ dialect.Driver = boundDriver{}

func (d boundDriver) Dialect() string { return d.u.db.Dialect }
func (d boundDriver) Close() error    { return nil }

// Tx joins the unit's own transaction: to its caller, an inner transaction is part of the unit. ent
// asks for one where a change takes several statements, as edges to many do. None of them is then
// the one that commits by itself, or returns what is shown.
func (d boundDriver) Tx(ctx context.Context) (dialect.Tx, error) {
	if c := changeFrom(ctx); c != nil {
		c.used = true
	}
	return dialect.NopTx(d), nil
}

// Exec runs a statement for ent: v is nil or a *sql.Result.
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

// Query runs a query for ent: v is its *sql.Rows. If the context says Writing, it is only written down.
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
		return d.u.note(ctx, query, start, err)
	}
	found, err := d.u.query(ctx, query, args.([]any))
	if err != nil {
		return done(err)
	}
	rows.ColumnScanner = &heldRows{Rows: found, done: done}
	return nil
}

// exec runs a statement that changes rows. It returns those that c asks for, unless that is nil.
// Once a statement has committed by itself, others are refused.
func (u *Unit) exec(ctx context.Context, c *Change, query string, args []any) (sql.Result, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.stored != "" {
		return nil, u.note(ctx, query, time.Now(), storedError(u.stored, query))
	}
	alone := u.alone(c)
	if alone && u.Dialect() == dialect.SQLite {
		ctx = context.WithoutCancel(ctx) // its driver says of what was stored that it was stopped
	}
	result, err := u.run(ctx, c, query, args, alone)
	if alone {
		err = u.committed(query, result, err)
	}
	return result, err
}

// run runs a statement that changes rows. The caller holds mu.
func (u *Unit) run(ctx context.Context, c *Change, query string, args []any, alone bool) (sql.Result, error) {
	if c != nil && c.Returning != "" {
		return u.returning(ctx, c, query, args, alone)
	}
	if err := u.open(ctx, alone); err != nil {
		return nil, err
	}
	start := time.Now()
	result, err := u.conn.ExecContext(ctx, query, u.bind(args)...)
	return result, u.note(ctx, query, start, err)
}

// committed takes note of what has become of a statement that commits by itself.
func (u *Unit) committed(query string, result sql.Result, err error) error {
	if err != nil {
		return u.doubted(err)
	}
	if n, err := result.RowsAffected(); n > 0 || err != nil {
		u.stored = query
	}
	return nil
}

// query runs a query and leaves its rows open. The caller holds mu until they are closed.
func (u *Unit) query(ctx context.Context, query string, args []any) (*sql.Rows, error) {
	if u.stored != "" && !strings.HasPrefix(query, "SELECT") {
		return nil, storedError(u.stored, query) // it may change something and return that
	}
	// What a policy looks up before a change that commits by itself needs no transaction either.
	c := changeFrom(ctx)
	if err := u.open(ctx, strings.HasPrefix(query, "SELECT") && c != nil && !c.used && u.alone(c)); err != nil {
		return nil, err
	}
	return u.conn.QueryContext(ctx, query, u.bind(args)...)
}

// Rows runs a query of the caller's own and hands its rows to each. They are closed afterwards in any case: open ones would hold
// the connection forever.
func (u *Unit) Rows(ctx context.Context, each func(*sql.Rows) error, query string, args ...any) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	start := time.Now()
	rows, err := u.query(ctx, query, args)
	if err == nil {
		err = readAll(rows, each)
	}
	return u.note(ctx, query, start, err)
}

func readAll(rows *sql.Rows, each func(*sql.Rows) error) error {
	defer rows.Close()
	return cmp.Or(each(rows), rows.Err(), rows.Close())
}

// Now returns the time by the database's clock, to the microsecond. It is the one clock that all servers share. SQLite has none but
// that of the machine, on which every process is that uses the file.
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

// Exec runs a statement of the caller's own and returns how many rows it changed.
func (u *Unit) Exec(ctx context.Context, query string, args ...any) (int64, error) {
	result, err := u.exec(ctx, changeFrom(ctx), query, args)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// note counts a statement, and tells whoever watches the database of it. It returns the statement's failure, or the one that has made
// this and all others of the transaction fail.
func (u *Unit) note(ctx context.Context, query string, start time.Time, err error) error {
	took := time.Since(start)
	u.cost.Statements++
	u.cost.Time += took
	if err != nil {
		if u.broken != nil && database.Aborted(err) {
			err = u.broken
		}
		err = database.WithStatement(query, err)
		u.last = err
		if u.begun {
			u.broken = err
		}
		if u.mode == Write && database.ReadOnly(err) && u.conn.Conn != nil {
			u.conn.Outdate() // it was the primary
		}
	}
	if u.db.Watch != nil {
		u.db.Watch(ctx, query, took, err)
	}
	return err
}

// bind puts arguments into the form in which the database takes them: both take the bytes of a UUID, and each has a form of its own
// for a list of them.
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

// heldRows are open rows of a unit, which nothing else can use until they are closed.
type heldRows struct {
	*sql.Rows
	done func(error) error
}

// Close closes the rows and lets the next statement run. A query may fail when some of its rows have come: one that locks them
// waits for each in turn.
func (r *heldRows) Close() error {
	err := r.Rows.Close()
	if r.done != nil {
		err = r.done(cmp.Or(r.Rows.Err(), err))
		r.done = nil
	}
	return err
}

// noRows is what ent sees of a query that was only written down.
type noRows struct{}

func (noRows) Close() error                            { return nil }
func (noRows) ColumnTypes() ([]*sql.ColumnType, error) { return nil, nil }
func (noRows) Columns() ([]string, error)              { return nil, nil }
func (noRows) Err() error                              { return nil }
func (noRows) Next() bool                              { return false }
func (noRows) NextResultSet() bool                     { return false }
func (noRows) Scan(...any) error                       { return sql.ErrNoRows }
