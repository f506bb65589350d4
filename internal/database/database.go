// Package database opens the two kinds of database that Forge supports, PostgreSQL and SQLite, and
// hides their differences.
package database

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"entgo.io/ent/dialect"

	"forge/internal/database/pgwire"
)

// Options are the settings of a pool. A zero value means no limit, unless the field says otherwise.
type Options struct {
	PoolSize    int           // the most connections; 0 means 16
	PoolTimeout time.Duration // how long a request waits for a connection; 0 means 15 s
	Recycle     time.Duration // the age at which a connection is closed
	IdleTime    time.Duration // how long an unused connection is kept

	StatementTimeout time.Duration // the limit of a statement

	// The following are for PostgreSQL. If the address sets a parameter, these fields and
	// StatementTimeout do not apply to it.

	ConnectTimeout    time.Duration // the limit of connecting
	LockTimeout       time.Duration // how long a statement waits for a lock
	CommitTimeout     time.Duration // the limit of a COMMIT; 0 means 30 s
	IdleInTransaction time.Duration // how long a transaction may be idle
	ApplicationName   string        // in pg_stat_activity; "" means forge
	Serializable      bool          // the isolation level of transactions that write
	MaxPlanCost       int           // what a query may cost by PostgreSQL's own estimate: see CheckPlan
	// Synced says that a change may only be acknowledged when a standby has it: see Watcher.
	Synced bool
	// PgBouncer says that connections pass a PgBouncer in transaction mode. The parameter
	// pgbouncer=on of the address sets it, too.
	PgBouncer bool

	// Schemas are PostgreSQL's schemas with tables, beside public. Connections look for tables in
	// all of them, unless the address sets a search_path. Through PgBouncer, its user has to have
	// that search_path.
	Schemas []string

	// LookOnly is for SQLite: Open creates no file and does not change the journal mode.
	LookOnly bool

	// Connected is called with each new connection to PostgreSQL before it is used, and with what
	// tells its server from others: see ServerIdentity. If it returns an error, the connection is
	// closed. It may be nil.
	Connected func(ctx context.Context, server string) error
	// Server returns the server whose connections may be used. It is nil if Connected is.
	Server func() string

	file     *sqliteFile     // shared with another pool of this process; nil otherwise
	timeline *atomic.Int64   // the same for several hosts of PostgreSQL
	timeouts pgwire.Timeouts // tests use shorter ones
}

// A connection keeps preparedStatements prepared statements at most, whose texts have preparedBytes
// bytes at most. PostgreSQL takes some 130 bytes for each byte of a text, most of it for the plan,
// so that a connection takes some 30 MiB there at most. A text of more than a quarter of
// preparedBytes would drive out too many others, and is not kept.
const (
	preparedStatements = 256
	preparedBytes      = 256 << 10
)

// DB is a pool of connections.
type DB struct {
	*sql.DB
	Dialect string // dialect.Postgres or dialect.SQLite
	Options Options
	// Watch is called after every statement of a unit of work, with the statement's text, time and
	// error. The text holds no values. Watch is set before the first use, or nil.
	Watch func(ctx context.Context, statement string, took time.Duration, err error)
	// Waited is called with the time that each Acquire took. It is set before the first use, or
	// nil.
	Waited func(time.Duration)
	// Watcher says whether changes can be acknowledged. It is set before the first use, or nil.
	Watcher *Watcher
	// Host tells the pools of replicas from each other. It is 0 for the primary.
	Host     int
	address  string // the argument of Open
	memory   bool
	readOnly bool            // SQLite's mode=ro
	file     *sqliteFile     // nil if there is none
	slots    chan struct{}   // holds one element for each acquired connection
	distance atomic.Int64    // see connector
	cheap    cheapStatements // see CheckPlan

	generation sync.Mutex    // guards ended
	ended      chan struct{} // see lost; nil while nobody waits
}

// near is how long an exchange with a server takes at most that is not distant.
const near = 500 * time.Microsecond

// Distant reports whether an exchange with the server takes so long that a request had better run
// its own statement than wait for that of another.
func (db *DB) Distant() bool { return time.Duration(db.distance.Load()) > near }

// Open returns a pool for an address: postgres://… or sqlite:PATH. For sqlite::memory: the database
// is lost when the pool is closed. Open does not connect. It returns an error if the address is
// invalid.
func Open(address string, opt Options) (*DB, error) {
	if opt.PoolSize == 0 {
		opt.PoolSize = 16
	}
	if opt.PoolTimeout == 0 {
		opt.PoolTimeout = 15 * time.Second
	}
	if opt.CommitTimeout == 0 {
		opt.CommitTimeout = 30 * time.Second
	}
	db := &DB{Options: opt, address: address}
	var err error
	switch scheme, rest, _ := strings.Cut(address, ":"); scheme {
	case "postgres", "postgresql":
		err = db.openPostgres(address)
	case "sqlite":
		err = db.openSQLite(rest)
	default:
		err = fmt.Errorf("%q is neither postgres://… nor sqlite:PATH", Redact(address))
	}
	if err != nil {
		return nil, err
	}
	if db.memory {
		// Each connection has a database of its own, which ends with the connection.
		opt.PoolSize, opt.Recycle, opt.IdleTime = 1, 0, 0
	}
	db.slots = make(chan struct{}, opt.PoolSize)
	db.SetConnMaxLifetime(opt.Recycle)
	db.SetConnMaxIdleTime(opt.IdleTime)
	db.SetMaxOpenConns(opt.PoolSize)
	db.SetMaxIdleConns(opt.PoolSize)
	return db, nil
}

// Writable reports whether new transactions may write. They may not on a standby, if the server or
// the address is set to read-only, or if this process has no permission to write the SQLite file.
// Writable returns an error if the server cannot be asked.
func (db *DB) Writable(ctx context.Context) (writable bool, err error) {
	if db.Dialect == dialect.SQLite {
		return !db.readOnly && (db.file == nil || mayWrite(db.file.path)), nil
	}
	const query = "SELECT NOT (pg_is_in_recovery() OR current_setting('transaction_read_only')::bool)"
	err = db.QueryRowContext(ctx, query).Scan(&writable)
	return writable, err
}

func milliseconds(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }
