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

// Read runs a query and hands the values of each row to each, as the driver has them, texts and bytes also as *[]byte: what each keeps of
// bytes it must copy. It is the way for many rows, for which database/sql would copy and convert every value again.
func (u *Unit) Read(ctx context.Context, each func([]driver.Value) error, query string, args []any) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.read(ctx, each, query, args, false)
}

// read is Read, with or without a transaction around the statement. The caller holds mu.
func (u *Unit) read(ctx context.Context, each func([]driver.Value) error, query string, args []any, alone bool) error {
	start := time.Now()
	err := u.open(ctx, alone)
	if err == nil {
		err = u.conn.Raw(func(conn any) error { return read(ctx, conn.(rawConn), each, query, u.bind(args)) })
	}
	return u.note(ctx, query, start, err)
}

// rawConn is what package database's connections are.
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

// all hands over rows until there are none left. SQLite does not notice between two of them that ctx has ended.
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

// Took counts what another unit has done for this one as well, and notes and returns how that failed. Of its statements, that unit has told.
func (u *Unit) Took(c Cost, err error) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.cost.Statements += c.Statements
	u.cost.Time += c.Time
	if err != nil {
		u.last = err
	}
	return err
}
