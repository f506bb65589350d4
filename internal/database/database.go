// Package database opens the two kinds of database that Forge runs on and hides where they differ.
package database

import (
	"cmp"
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"entgo.io/ent/dialect"
	"github.com/lib/pq"
	"modernc.org/sqlite"
)

// Options are the settings of a pool. What is zero has no limit, unless it says otherwise.
type Options struct {
	PoolSize    int           // connections at most; 0 stands for 16
	PoolTimeout time.Duration // how long a request waits for one; 0 stands for 15 s
	Recycle     time.Duration // how old one gets
	IdleTime    time.Duration // how long one is kept without use

	StatementTimeout time.Duration // how long a statement may run; PostgreSQL's address counts more where it says the same

	// What follows is for PostgreSQL. The address counts more where it says the same.
	ConnectTimeout    time.Duration // how long the server may take to accept a connection
	LockTimeout       time.Duration // how long it waits for a lock
	CommitTimeout     time.Duration // how long a COMMIT may take; 0 stands for 30 s
	IdleInTransaction time.Duration // how long a transaction may stand still
	ApplicationName   string        // in pg_stat_activity
	Serializable      bool          // the isolation level of units of work that write
	PgBouncer         bool          // there is a PgBouncer in transaction mode between; pgbouncer=on in the address says so, too

	// LookOnly is for SQLite: a file that is not there is not made, and one that is stays in the journal mode that it has.
	LookOnly bool

	file *sqliteFile // that another pool of this process uses; nil if there is none
}

// busyTimeout is how long a connection to SQLite waits for others to get out of its way.
const busyTimeout = 5 * time.Second

// statements is how many prepared statements a connection keeps.
const statements = 256

// DB is a pool of connections.
type DB struct {
	*sql.DB
	Dialect string // dialect.Postgres or dialect.SQLite
	Options Options
	// Watch is told of every statement of a unit of work: its text, which holds no values, and how it went. It is set before
	// the first use, or nil.
	Watch func(ctx context.Context, statement string, took time.Duration, err error)
	// Waited is told how long each unit of work waited for its connection. It is set before the first use, or nil.
	Waited     func(time.Duration)
	address    string // what it was opened with
	memory     bool
	readOnly   bool          // SQLite's mode=ro
	file       *sqliteFile   // nil if it is none
	generation *generation   // of connections to PostgreSQL
	places     chan struct{} // one in it for each connection that is acquired
}

// Open returns a pool for url: "postgres://…" or "sqlite:PATH", with "sqlite::memory:" for a database that lives and dies
// with the pool. It does not connect; Ping does.
func Open(url string, opt Options) (*DB, error) {
	if opt.PoolSize == 0 {
		opt.PoolSize = 16
	}
	if opt.PoolTimeout == 0 {
		opt.PoolTimeout = 15 * time.Second
	}
	if opt.CommitTimeout == 0 {
		opt.CommitTimeout = 30 * time.Second
	}
	db := &DB{Options: opt, address: url}
	var err error
	switch scheme, rest, _ := strings.Cut(url, ":"); scheme {
	case "postgres", "postgresql":
		err = db.openPostgres(url)
	case "sqlite":
		err = db.openSQLite(rest)
	default:
		err = fmt.Errorf("%q is neither postgres://… nor sqlite:PATH", Redact(url))
	}
	if err != nil {
		return nil, err
	}
	if db.memory {
		// Every connection would have a database of its own, and would take it along when closed.
		opt.PoolSize, opt.Recycle, opt.IdleTime = 1, 0, 0
	}
	db.places = make(chan struct{}, opt.PoolSize)
	db.SetConnMaxLifetime(opt.Recycle)
	db.SetConnMaxIdleTime(opt.IdleTime)
	db.SetMaxOpenConns(opt.PoolSize)
	db.SetMaxIdleConns(opt.PoolSize)
	return db, nil
}

// besideTime bounds what is done over a connection of Beside: a start, a statement, a wait for a lock.
const besideTime = 2 * time.Second

// BesideSize is how many connections a pool of Beside has at most: while one ends that died without a word, there is another.
const BesideSize = 2

// Beside returns a small pool for the same database, for what goes on beside requests and must not wait for them, such as readiness
// and the watch for revoked tokens: db may be full of slow requests. A database in memory is its only connection, so db itself is
// returned.
func (db *DB) Beside() (*DB, error) {
	if db.memory {
		return db, nil
	}
	opt := db.Options
	opt.PoolSize, opt.PoolTimeout = BesideSize, besideTime
	opt.ApplicationName = cmp.Or(opt.ApplicationName, "forge") + " beside" // told apart from those of requests in pg_stat_activity
	for _, limit := range []*time.Duration{&opt.ConnectTimeout, &opt.StatementTimeout, &opt.LockTimeout} {
		if *limit == 0 || *limit > besideTime {
			*limit = besideTime
		}
	}
	opt.file = db.file
	return Open(db.address, opt)
}

func (db *DB) openPostgres(dsn string) error {
	u, err := url.Parse(dsn)
	if err != nil {
		return errors.New("the postgres:// address cannot be read; a password with special characters must be percent-encoded")
	}
	q := u.Query()
	switch q.Get("pgbouncer") {
	case "":
	case "on", "true", "1":
		db.Options.PgBouncer = true
	default:
		return errors.New("the postgres:// address: pgbouncer is on, or is left out")
	}
	q.Del("pgbouncer")
	db.Options.startup(q)
	u.RawQuery = q.Encode()
	c, err := pq.NewConnector(u.String())
	if err != nil {
		return fmt.Errorf("the postgres:// address: %w", err)
	}
	db.generation = new(generation)
	c.Dialer(newDialer(db.generation, db.Options.roundTrip(q)))
	kept := statements
	if db.Options.PgBouncer {
		kept = 0 // the next transaction may meet another server connection, which does not know them
	}
	db.DB, db.Dialect = sql.OpenDB(connector{Connector: c, statements: kept, asText: q.Has("disable_prepared_binary_result")}), dialect.Postgres
	return nil
}

func (db *DB) openSQLite(path string) error {
	path, query, _ := strings.Cut(path, "?")
	if path == "" {
		return errors.New("sqlite: names no file; sqlite:PATH and sqlite::memory: do")
	}
	q, err := url.ParseQuery(query)
	if err != nil {
		return fmt.Errorf("sqlite:%s: what follows the ? cannot be read", path)
	}
	for name := range q {
		if name != "mode" {
			return fmt.Errorf("sqlite:%s: %q is not a parameter; only mode=ro and mode=rw are", path, name)
		}
	}
	if mode := q.Get("mode"); !slices.Contains([]string{"", "ro", "rw"}, mode) {
		return fmt.Errorf("sqlite:%s: mode=%s is not known; mode=ro and mode=rw are", path, mode)
	}
	db.memory, db.readOnly = path == memory, q.Get("mode") == "ro"
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return fmt.Errorf("sqlite:%s is a directory", path)
	}
	db.Dialect = dialect.SQLite
	if db.memory {
		c, err := sqliteConnector(path, q.Get("mode"), !db.readOnly, db.Options.StatementTimeout)
		if err == nil {
			db.DB = sql.OpenDB(connector{Connector: patient{c}, statements: statements, precious: true})
		}
		return err
	}
	file := db.Options.file
	if file == nil {
		if file, err = db.sqliteFile(path, q.Get("mode")); err != nil {
			return err
		}
	}
	db.file, db.DB = file, sql.OpenDB(connector{Connector: file, statements: statements})
	file.add(db.DB)
	return nil
}

// sqliteFile returns what opens connections to a file, in a mode of the address.
func (db *DB) sqliteFile(path, mode string) (*sqliteFile, error) {
	wal := mode != "ro" && !db.Options.LookOnly
	open, err := sqliteConnector(path, cmp.Or(mode, "rw"), wal, db.Options.StatementTimeout)
	if err != nil {
		return nil, err
	}
	look, err := sqliteConnector(path, cmp.Or(mode, "rw"), false, db.Options.StatementTimeout)
	if err != nil {
		return nil, err
	}
	var create driver.Connector
	if mode == "" && !db.Options.LookOnly {
		if create, err = sqliteConnector(path, "rwc", wal, db.Options.StatementTimeout); err != nil {
			return nil, err
		}
	}
	return newSQLiteFile(path, open, create, look), nil
}

// sqliteConnector returns what opens connections to a path in a mode of SQLite's, whose statements take no longer than statementTimeout, if that is not 0.
func sqliteConnector(path, mode string, wal bool, statementTimeout time.Duration) (driver.Connector, error) {
	// Times are kept as whole microseconds: they sort as numbers and have PostgreSQL's precision.
	q := url.Values{"_time_integer_format": {"unix_micro"}, "_inttotime": {"1"}}
	if mode != "" {
		q.Set("mode", mode)
	}
	q.Add("_pragma", "busy_timeout("+milliseconds(busyTimeout)+")")
	if wal {
		q.Add("_pragma", "journal_mode(WAL)")
	}
	q.Add("_pragma", "foreign_keys(1)")
	c, err := sqlite.NewConnector("file:" + (&url.URL{Path: path}).EscapedPath() + "?" + q.Encode())
	if err != nil {
		return nil, fmt.Errorf("sqlite:%s: %w", path, err)
	}
	return interruptible{c, statementTimeout}, nil
}

// joinsCompared is of how many tables PostgreSQL compares all orders in which they can be joined. With
// its own limit of 8 it plans a page with 7 conditions over related rows for half a second.
const joinsCompared = "4"

// startup adds what a connection to PostgreSQL says when it is opened.
func (o Options) startup(q url.Values) {
	setDefault(q, "application_name", cmp.Or(o.ApplicationName, "forge"))
	if o.ConnectTimeout > 0 {
		setDefault(q, "connect_timeout", strconv.Itoa(int(o.ConnectTimeout.Seconds())))
	}
	// Times are written as they come: let them come in UTC.
	q.Set("timezone", "UTC")
	// One round trip for a statement with parameters that is not prepared, where the text protocol takes two; and parameters of
	// bytes go as they are, which units of work rely on for keys.
	q.Set("binary_parameters", "yes")
	if !o.PgBouncer { // which refuses what it does not know
		for name, value := range o.limits() {
			setDefault(q, name, value)
		}
	}
}

// limits are PostgreSQL's names for what it is to bound.
func (o Options) limits() map[string]string {
	return map[string]string{
		"statement_timeout":                   milliseconds(o.StatementTimeout),
		"lock_timeout":                        milliseconds(o.LockTimeout),
		"idle_in_transaction_session_timeout": milliseconds(o.IdleInTransaction),
		"join_collapse_limit":                 joinsCompared,
	}
}

// roundTrip returns how long a statement may take until its whole answer is there; 0 for no limit.
// The server ends it before that, except for one that commits by itself, which is a commit as well.
// An address may say otherwise; of a time that it does not give as a number we make no limit.
func (o Options) roundTrip(q url.Values) time.Duration {
	limit := o.StatementTimeout
	if !o.PgBouncer && q.Has("statement_timeout") {
		n, _ := strconv.Atoi(q.Get("statement_timeout"))
		limit = time.Duration(n) * time.Millisecond
	}
	if limit <= 0 {
		return 0
	}
	return max(limit, o.CommitTimeout) + pastStatementTimeout
}

func milliseconds(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }

// Begin returns the statement that begins a transaction, with the limits that hold in it where the connection cannot keep them.
func (db *DB) Begin(write bool) string {
	if db.Dialect == dialect.SQLite {
		if write {
			// One that starts by reading and then writes fails at once when another one wrote in between.
			return "BEGIN IMMEDIATE"
		}
		return "BEGIN"
	}
	begin := "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
	switch {
	case write && db.Options.Serializable:
		begin = "BEGIN ISOLATION LEVEL SERIALIZABLE"
	case write:
		begin = "BEGIN"
	}
	if db.Options.PgBouncer {
		limits := db.Options.limits()
		for _, name := range slices.Sorted(maps.Keys(limits)) {
			begin += "; SET LOCAL " + name + " = " + limits[name]
		}
	}
	return begin
}

func setDefault(q url.Values, name, value string) {
	if !q.Has(name) {
		q.Set(name, value)
	}
}

// Redact returns a database address without its secrets, for people to read.
func Redact(address string) string {
	if strings.HasPrefix(address, "sqlite:") {
		return address
	}
	scheme, _, ok := strings.Cut(address, "://")
	if !ok {
		return "…"
	}
	u, err := url.Parse(address)
	if err != nil {
		return scheme + "://…"
	}
	q := u.Query()
	for _, name := range []string{"password", "sslkey", "sslpassword"} {
		if q.Has(name) {
			q.Set(name, "xxxxx")
			u.RawQuery = q.Encode()
		}
	}
	return u.Redacted()
}
