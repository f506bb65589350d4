package unit

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"time"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
)

// boundDriver is the driver of a unit's client. It sends every statement through the unit.
type boundDriver struct{ u *Unit }

var _ dialect.Driver = boundDriver{}

func (d boundDriver) Dialect() string { return d.u.db.Dialect }
func (d boundDriver) Close() error    { return nil }

// Tx returns a transaction that is part of the unit's own. Ent asks for one if a change takes
// several statements, as for edges to many rows. Then the Change of ctx applies to none of these
// statements.
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

// Query runs a query. Ent passes its *sql.Rows as v. If ctx comes from Capture, Query stores the
// query instead of running it, and v has no rows.
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
		return d.u.record(ctx, query, args.([]any), start, err)
	}
	found, err := d.u.query(ctx, query, args.([]any))
	if err != nil {
		return done(err)
	}
	rows.ColumnScanner = &heldRows{Rows: found, done: done}
	return nil
}

// heldRows are the open rows of a query. The unit runs no other statement until they are closed.
type heldRows struct {
	*sql.Rows
	done func(error) error
}

// Close closes the rows and lets the unit run the next statement. It also returns an error that
// came after the first rows, as when a query waits for the lock of each row in turn.
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

// Statement is a query written by ent, including the conditions of interceptors and policies.
type Statement struct {
	Text string
	Args []any
}

type statementKey struct{}

// Capture returns a context in which ent's queries are not run. Each query is stored in s, and
// returns no rows.
func Capture(ctx context.Context, s *Statement) context.Context {
	return context.WithValue(ctx, statementKey{}, s)
}

func statementFrom(ctx context.Context) *Statement {
	s, _ := ctx.Value(statementKey{}).(*Statement)
	return s
}
