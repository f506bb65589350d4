package database

import (
	"cmp"
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"entgo.io/ent/dialect"

	"forge/internal/retry"
)

// SQLiteFile returns the path and the mode ("", "ro" or "rw") in an address. It returns false for
// an address without a file: one of PostgreSQL, or sqlite::memory:.
func SQLiteFile(address string) (path, mode string, ok bool) {
	rest, ok := strings.CutPrefix(address, "sqlite:")
	path, query, _ := strings.Cut(rest, "?")
	return path, strings.TrimPrefix(query, "mode="), ok && path != memory
}

// memory is the path of a database that is not a file.
const memory = ":memory:"

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
		c := sqliteConnector(path, q.Get("mode"), !db.readOnly, db.Options.StatementTimeout)
		db.DB = sql.OpenDB(connector{Connector: busyRetry{c}, statements: preparedStatements, keepOnCancel: true})
		return nil
	}
	file := db.Options.file
	if file == nil {
		file = db.sqliteFile(path, q.Get("mode"))
	}
	db.file, db.DB = file, sql.OpenDB(connector{Connector: file, statements: preparedStatements})
	file.add(db.DB)
	return nil
}

// sqliteFile returns the connector for a file, opened in the mode that the address names.
func (db *DB) sqliteFile(path, mode string) *sqliteFile {
	wal := mode != "ro" && !db.Options.LookOnly
	open := sqliteConnector(path, cmp.Or(mode, "rw"), wal, db.Options.StatementTimeout)
	look := sqliteConnector(path, cmp.Or(mode, "rw"), false, db.Options.StatementTimeout)
	var create driver.Connector
	if mode == "" && !db.Options.LookOnly {
		create = sqliteConnector(path, "rwc", wal, db.Options.StatementTimeout)
	}
	return newSQLiteFile(path, open, create, look)
}

// sqliteConnector returns a connector for a path and a mode of SQLite. Prepared statements on its
// connections end after statementTimeout, unless it is 0.
func sqliteConnector(path, mode string, wal bool, statementTimeout time.Duration) driver.Connector {
	// Times are stored as microseconds. They sort as numbers and have the precision of PostgreSQL.
	q := url.Values{"_time_integer_format": {"unix_micro"}, "_inttotime": {"1"}}
	if mode != "" {
		q.Set("mode", mode)
	}
	q.Add("_pragma", "busy_timeout("+milliseconds(busyTimeout)+")")
	if wal {
		q.Add("_pragma", "journal_mode(WAL)")
		q.Add("_pragma", fmt.Sprintf("journal_size_limit(%d)", keptLog))
	}
	q.Add("_pragma", "foreign_keys(1)")
	c := withFunctions{"file:" + (&url.URL{Path: path}).EscapedPath() + "?" + q.Encode()}
	return interruptible{c, statementTimeout}
}

// busyTimeout is how long a connection to SQLite waits for locks of other connections.
const busyTimeout = 5 * time.Second

// busyRetry opens connections to SQLite, and tries again while the database is busy. SQLite itself
// waits for locks, except when a file is switched to WAL and while the last connection closes.
type busyRetry struct{ driver.Connector }

// Connect opens a connection. It tries for busyTimeout, and then returns the last error.
func (b busyRetry) Connect(ctx context.Context) (driver.Conn, error) {
	backoff := retry.Backoff{First: 5 * time.Millisecond}
	start := time.Now()
	for attempt := 1; ; attempt++ {
		conn, err := b.Connector.Connect(ctx)
		if err == nil || !Transient(err) || time.Since(start) > busyTimeout {
			return conn, err
		}
		if err := backoff.Wait(ctx, attempt); err != nil {
			return nil, err
		}
	}
}
