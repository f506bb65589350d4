package database

import (
	"cmp"
	"time"
)

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

// Outdate keeps this connection, and those of the pool that are as old, from being used again. Call
// it when the server cannot do what the pool is for. It has an effect once a second at most, and
// none on SQLite.
func (c Conn) Outdate() {
	_ = c.Raw(func(raw any) error {
		raw.(*conn).session.Outdate()
		return nil
	})
}
