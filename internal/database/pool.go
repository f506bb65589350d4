package database

import (
	"cmp"
	"context"
	"database/sql"
	"time"
)

// monitorTimeout limits each step over a monitoring connection: connect, a statement, a lock.
const monitorTimeout = 2 * time.Second

// MonitorPoolSize is the size of a monitoring pool. The second connection serves while the first
// waits for a server that is gone.
const MonitorPoolSize = 2

// MonitorPool returns a small second pool for the same database. Readiness checks and the check for
// revoked tokens use it, because slow requests may take all connections of db. A database in memory
// has only one connection, so MonitorPool returns db itself.
func (db *DB) MonitorPool() (*DB, error) {
	if db.memory {
		return db, nil
	}
	opt := db.Options
	opt.PoolSize, opt.PoolTimeout = MonitorPoolSize, monitorTimeout
	// The sessions can be told apart in pg_stat_activity from those that serve requests.
	opt.ApplicationName = cmp.Or(opt.ApplicationName, "forge") + " beside"
	opt.limitSteps()
	opt.file, opt.timeline = db.file, db.Options.timeline
	return Open(db.address, opt)
}

// limitSteps has each step take monitorTimeout at most.
func (o *Options) limitSteps() {
	for _, limit := range []*time.Duration{&o.ConnectTimeout, &o.StatementTimeout, &o.LockTimeout} {
		if *limit == 0 || *limit > monitorTimeout {
			*limit = monitorTimeout
		}
	}
}

// roomPause is how long the pool asks for no further connection after PostgreSQL had no room for
// one.
const roomPause = time.Second

// awaitRoom returns a connection when one of the pool comes free, or when PostgreSQL, which has
// refused another one with err, has room for it again. After the pool timeout it returns err.
func (db *DB) awaitRoom(ctx context.Context, err error) (*sql.Conn, error) {
	for end := time.Now().Add(db.Options.PoolTimeout); time.Now().Before(end) && ctx.Err() == nil; {
		if open := db.Stats().OpenConnections; open > 0 {
			db.SetMaxOpenConns(open) // then database/sql lets us wait for these in turn
			time.AfterFunc(roomPause, func() {
				db.SetMaxOpenConns(db.Options.PoolSize)
				db.SetMaxIdleConns(db.Options.PoolSize) // which the smaller number has lowered as well
			})
		}
		try, cancel := context.WithTimeout(ctx, min(roomPause, time.Until(end)))
		conn, tryErr := db.Conn(try)
		timedOut := try.Err() != nil
		cancel()
		if tryErr == nil || !timedOut && !tooManyConnections(tryErr) {
			return conn, tryErr
		}
	}
	return nil, err
}
