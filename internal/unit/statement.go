package unit

import (
	"cmp"
	"context"
	"database/sql"
	"database/sql/driver"
	"strings"
	"time"

	"entgo.io/ent/dialect"

	"forge/internal/database"
)

// open takes a connection if the unit has none. It begins a transaction if the unit's mode needs
// one, unless the statement commits by itself. The caller holds mu.
func (u *Unit) open(ctx context.Context, autocommit bool) error {
	if u.done {
		return errDone
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := u.connect(ctx); err != nil {
		u.last = err
		return err
	}
	// Through PgBouncer, limits can only be set in a transaction, so every statement gets one.
	if u.begun || u.mode == Single && !u.db.Options.PgBouncer || autocommit {
		return nil
	}
	if _, err := u.conn.ExecContext(ctx, u.db.Begin(u.mode == Write)); err != nil {
		u.last = err
		return err
	}
	u.begun = true
	return nil
}

// askPromise returns an error if the unit may write, and its changes could not be acknowledged.
func (u *Unit) askPromise() (err error) {
	if u.mode == Write {
		u.promise, err = u.db.Watcher.Promise()
	}
	return err
}

// connect takes a connection if the unit has none. The caller holds mu.
func (u *Unit) connect(ctx context.Context) error {
	if err := u.awaitTurn(ctx); err != nil || u.conn.Conn != nil {
		return err
	}
	if err := u.askPromise(); err != nil {
		return err
	}
	conn, err := u.db.AcquireBy(ctx, u.late)
	if err != nil {
		return err
	}
	u.conn = conn
	if u.onLongHold != nil {
		u.holdTimer = time.AfterFunc(u.holdLimit, u.onLongHold)
	}
	return nil
}

// BeginWith begins the transaction of a unit that has run no statement, and runs a statement in it.
// Both are sent with the unit's next statement, in one round trip. If one of them fails, the next
// statement is not run, and returns the error. BeginWith returns false, and has done nothing, if
// the database cannot do this.
func (u *Unit) BeginWith(ctx context.Context, s database.Statement) (bool, error) {
	if !u.db.Pipelined() {
		return false, nil
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	err := u.connect(ctx)
	if err == nil {
		err = u.db.BeginWith(u.conn, s)
	}
	if err != nil {
		u.last = err
		return false, err
	}
	u.begun = true
	u.cost.Statements++
	return true, nil
}

// awaitTurn has a unit that may write to SQLite wait until it is its turn, before it takes a
// connection. The caller holds mu.
func (u *Unit) awaitTurn(ctx context.Context) (err error) {
	if u.mode != Write || u.db.Dialect != dialect.SQLite || u.begun || u.endTurn != nil {
		return nil
	}
	u.giveBack()
	u.endTurn, err = u.db.AwaitTurn(ctx)
	return err
}

// exec runs a statement that changes rows, in the way that c says, or as it is if c is nil. It
// returns an error, without running the statement, if an earlier statement has committed by itself.
func (u *Unit) exec(ctx context.Context, c *Change, query string, args []any) (sql.Result, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.autocommitted != "" {
		return nil, u.record(ctx, query, args, time.Now(), secondWriteError(u.autocommitted, query))
	}
	autocommit := u.autocommits(c)
	if autocommit && u.db.Dialect == dialect.SQLite {
		if err := u.open(ctx, autocommit); err != nil {
			return nil, err
		}
		// The driver could report that a statement was cancelled although it was stored.
		ctx = context.WithoutCancel(ctx)
	}
	result, err := u.run(ctx, c, query, args, autocommit)
	if autocommit {
		u.letNextWrite()
		err = u.noteAutocommit(ctx, query, result, err)
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
	result, err := u.conn.ExecContext(ctx, query, args...)
	return result, u.record(ctx, query, args, start, err)
}

// noteAutocommit records the outcome of a statement that commits by itself, and returns the error
// for its caller.
func (u *Unit) noteAutocommit(ctx context.Context, query string, result sql.Result, err error) error {
	if err != nil {
		return u.commitError(err)
	}
	if n, err := result.RowsAffected(); n > 0 || err != nil {
		u.autocommitted = query
		if err := u.db.Watcher.Confirm(ctx, u.promise); err != nil {
			u.last = err
			return u.commitError(err)
		}
	}
	return nil
}

// query runs a query and leaves its rows open. The caller holds mu until they are closed.
func (u *Unit) query(ctx context.Context, query string, args []any) (*sql.Rows, error) {
	reads := strings.HasPrefix(query, "SELECT") // other statements may change rows and return them
	if u.autocommitted != "" && !reads {
		return nil, secondWriteError(u.autocommitted, query)
	}
	if err := u.open(ctx, u.precedes(ctx, query)); err != nil {
		return nil, err
	}
	return u.conn.QueryContext(ctx, query, args...)
}

// Read runs a query and calls each with the values of every row. For many rows it is faster than
// Rows, because database/sql would copy and convert every value once more. The values are the
// driver's own, and are valid until each returns.
func (u *Unit) Read(ctx context.Context, each func([]driver.Value) error, query string, args []any) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.read(ctx, each, query, args, u.precedes(ctx, query))
}

// precedes reports whether a query comes before a statement that will commit by itself, as those of
// a policy do. Then it needs no transaction either.
func (u *Unit) precedes(ctx context.Context, query string) bool {
	c := changeFrom(ctx)
	return c != nil && !c.used && u.autocommits(c) && strings.HasPrefix(query, "SELECT")
}

// read runs a query and calls each with the values of every row. If autocommit is true, it begins
// no transaction. The caller holds mu.
func (u *Unit) read(ctx context.Context, each func([]driver.Value) error, query string, args []any, autocommit bool) error {
	start := time.Now()
	err := u.open(ctx, autocommit)
	if err == nil && u.checksPlans {
		err = u.db.CheckPlan(ctx, u.conn, query, args)
	}
	if err == nil {
		err = u.conn.Read(ctx, query, args, each)
	}
	return u.record(ctx, query, args, start, err)
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
	return u.record(ctx, query, args, start, err)
}

func readAll(rows *sql.Rows, each func(*sql.Rows) error) error {
	defer rows.Close()
	return cmp.Or(each(rows), rows.Err(), rows.Close())
}

// Now returns the time of the database's clock, which all servers share, to the microsecond. For
// SQLite it is the clock of this machine, where all processes that use the file run.
func (u *Unit) Now(ctx context.Context) (now time.Time, err error) {
	if u.db.Dialect == dialect.SQLite {
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

// record adds a statement to the unit's cost and calls the database's Watch function. It returns
// the statement's error, with the text of the statement added. If PostgreSQL refused the statement
// only because an earlier one had failed, record returns the error of the earlier one.
func (u *Unit) record(ctx context.Context, query string, args []any, start time.Time, err error) error {
	took := time.Since(start)
	u.cost.Statements++
	u.cost.Time += took
	if u.onStatement != nil {
		u.onStatement(query, args)
	}
	if err != nil {
		if u.aborted != nil && database.Aborted(err) {
			err = u.aborted
		}
		err = database.WithStatement(query, err)
		u.last = err
		if u.begun {
			u.aborted = err
		}
	}
	if u.db.Watch != nil {
		u.db.Watch(ctx, query, took, err)
	}
	return err
}

// AddCost adds the cost of statements that another unit ran for this one as well, and returns err,
// their error. The unit treats err as an error of its own last statement. Watch is not called again
// for these statements.
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
