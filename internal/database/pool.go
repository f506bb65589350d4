package database

import (
	"cmp"
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
	opt.file = db.file
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

// Outdate keeps this connection, and all of the pool that are as old, from being used again. It is
// called when the server cannot do what the pool needs, such as to write. It has an effect once a
// second at most, and none on SQLite.
func (c Conn) Outdate() {
	_ = c.Raw(func(raw any) error {
		raw.(*conn).session.Outdate()
		return nil
	})
}
