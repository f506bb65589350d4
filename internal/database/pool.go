package database

import (
	"cmp"
	"context"
	"database/sql"
	"time"

	"entgo.io/ent/dialect"

	"forge/internal/apperr"
	"forge/internal/telemetry"
)

// Conn is a connection that was acquired from the pool. Call Close once to give it back.
type Conn struct {
	*sql.Conn
	slots  chan struct{}
	commit time.Duration // the limit of a COMMIT; 0 for none
}

// Commit commits the connection's transaction. It does not end with ctx, as the server may complete
// a COMMIT that has begun whatever becomes of the request. If OutcomeUnknown is true of the error,
// the data may be stored. After any other error they are not.
func (c Conn) Commit(ctx context.Context) error {
	ctx = context.WithoutCancel(ctx)
	if c.commit > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, c.commit)
		defer cancel()
	}
	_, err := c.ExecContext(ctx, "COMMIT")
	return err
}

// Close gives the connection back.
func (c Conn) Close() error {
	err := c.Conn.Close()
	<-c.slots
	return err
}

// Outdate keeps this connection, and those of the pool that are as old, from being used again. Call
// it when the server cannot do what the pool is for. It has an effect once a second at most, and
// none on SQLite.
func (c Conn) Outdate() {
	_ = c.Raw(func(raw any) error {
		raw.(*conn).session.Outdate()
		return nil
	})
}

// Acquire takes a connection from the pool. Give it back with Close. If none is free within the
// pool timeout, or the database cannot be reached, the error is an UNAVAILABLE for the client.
func (db *DB) Acquire(ctx context.Context) (Conn, error) {
	start := time.Now()
	conn, err := db.acquire(ctx)
	if db.Waited != nil {
		db.Waited(time.Since(start))
	}
	return conn, err
}

func (db *DB) acquire(ctx context.Context) (Conn, error) {
	if err := db.acquireSlot(ctx); err != nil {
		return Conn{}, err
	}
	conn, err := db.Conn(ctx)
	if err != nil {
		<-db.slots
		if ctx.Err() == nil {
			err = unavailable(err)
		}
		return Conn{}, err
	}
	c := Conn{Conn: conn, slots: db.slots}
	if db.Dialect == dialect.Postgres {
		c.commit = db.Options.CommitTimeout // SQLite's waits only for the disk
	}
	return c, nil
}

// acquireSlot waits until the number of acquired connections is below the size of the pool. The
// pool itself can wait as well, but needs a context with a timer for it, and a wait is rare.
func (db *DB) acquireSlot(ctx context.Context) error {
	select {
	case db.slots <- struct{}{}:
		return nil
	default:
	}
	late := time.NewTimer(db.Options.PoolTimeout)
	defer late.Stop()
	select {
	case db.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-late.C:
		telemetry.FromContext(ctx).Refuse(telemetry.PoolTimeout)
		return &apperr.Error{Code: apperr.CodeUnavailable, Message: "all connections to the database are in use; try again", Cause: errPoolTimeout}
	}
}

// monitorTimeout limits each step over a monitoring connection: connect, a statement, a lock.
const monitorTimeout = 2 * time.Second

// MonitorPoolSize is the size of a monitoring pool. The second connection is for when the first one
// is waiting for a server that is gone.
const MonitorPoolSize = 2

// MonitorPool returns a small second pool for the same database. Readiness and the check for
// revoked tokens use it, as they must not wait for slow requests that may fill db. For a database
// in memory, which has only one connection, it returns db itself.
func (db *DB) MonitorPool() (*DB, error) {
	if db.memory {
		return db, nil
	}
	opt := db.Options
	opt.PoolSize, opt.PoolTimeout = MonitorPoolSize, monitorTimeout
	// Another name in pg_stat_activity than the one of requests.
	opt.ApplicationName = cmp.Or(opt.ApplicationName, "forge") + " beside"
	for _, limit := range []*time.Duration{&opt.ConnectTimeout, &opt.StatementTimeout, &opt.LockTimeout} {
		if *limit == 0 || *limit > monitorTimeout {
			*limit = monitorTimeout
		}
	}
	opt.file = db.file
	return Open(db.address, opt)
}
