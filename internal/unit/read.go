package unit

import (
	"cmp"
	"context"
	"database/sql/driver"
	"errors"
	"io"
	"time"

	"forge/internal/database/pgwire"
)

// Read runs a query and calls each with the values of every row. It is faster than Rows for many
// rows, because database/sql would copy and convert every value once more. The values are the
// driver's own; texts and bytes may come as *[]byte. The function each must copy the bytes that
// it keeps.
func (u *Unit) Read(ctx context.Context, each func([]driver.Value) error, query string, args []any) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.read(ctx, each, query, args, false)
}

// read does the work of Read. A statement that autocommits gets no transaction. The caller holds
// mu.
func (u *Unit) read(ctx context.Context, each func([]driver.Value) error, query string, args []any, autocommit bool) error {
	start := time.Now()
	err := u.open(ctx, autocommit)
	if err == nil {
		err = u.conn.Raw(func(conn any) error { return read(ctx, conn.(rawConn), each, query, u.bind(args)) })
	}
	return u.record(ctx, query, start, err)
}

// rawConn is the part of a database connection that read needs.
type rawConn interface {
	driver.QueryerContext
	driver.NamedValueChecker
	TapRows(query string, each pgwire.RowFunc) (done func() error)
}

func read(ctx context.Context, conn rawConn, each func([]driver.Value) error, query string, args []any) (err error) {
	values, err := named(conn, args)
	if err != nil {
		return err
	}
	if done := conn.TapRows(query, each); done != nil {
		defer func() { err = cmp.Or(err, done()) }()
	}
	rows, err := conn.QueryContext(ctx, query, values)
	if err != nil {
		return err
	}
	defer func() { err = cmp.Or(err, rows.Close()) }()
	return all(ctx, rows, each)
}

// all calls each for all rows. It looks at ctx now and then, because SQLite does not notice the end
// of ctx between two rows.
func all(ctx context.Context, rows driver.Rows, each func([]driver.Value) error) error {
	const between = 256
	values := make([]driver.Value, len(rows.Columns()))
	for n := 1; ; n++ {
		if err := rows.Next(values); err != nil {
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

// named converts arguments as database/sql does.
func named(conn driver.NamedValueChecker, args []any) ([]driver.NamedValue, error) {
	values := make([]driver.NamedValue, len(args))
	for i, arg := range args {
		values[i] = driver.NamedValue{Ordinal: i + 1, Value: arg}
		err := conn.CheckNamedValue(&values[i])
		if errors.Is(err, driver.ErrSkip) {
			values[i].Value, err = driver.DefaultParameterConverter.ConvertValue(arg)
		}
		if err != nil {
			return nil, err
		}
	}
	return values, nil
}

// AddCost counts statements that another unit ran on behalf of this one. It notes err, their
// failure, as the last one of this unit, and returns it. The other unit has reported the
// statements to the database's Watch function.
func (u *Unit) AddCost(c Cost, err error) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.cost.Statements += c.Statements
	u.cost.Time += c.Time
	if err != nil {
		u.last = err
	}
	return err
}
