package database

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"
)

// FileError is the error of a SQLite database whose file was moved or replaced while it was in use.
// Nothing is read or written until the file is back, or another file is accepted.
type FileError struct {
	Reason string // for clients
	detail string // for the log: the path and what to do
}

// Error returns the reason, the file, and what to do.
func (e *FileError) Error() string { return e.Reason + ": " + e.detail }

const (
	reasonMoved    = "the file of the database was moved or removed while it was in use"
	reasonReplaced = "the file of the database was replaced while it was in use"
	reasonLog      = "a log file of the database was moved or removed while it was in use"
)

// sqliteFile is a driver.Connector that keeps all connections on the file that was opened first.
// Without it, old connections would continue with a file that was moved away, while new ones would
// open, or create, the file at the path. SQLite could then apply the log of one file to the other.
// All pools of a process for the same file share one sqliteFile.
type sqliteFile struct {
	path   string
	open   driver.Connector // opens an existing file
	create driver.Connector // creates the file; nil if it must exist
	look   driver.Connector // opens an existing file without changing it

	writers chan struct{} // see DB.AwaitTurn

	used    atomic.Pointer[fileSet] // the files in use; nil before the first connection
	checked atomic.Int64            // when the files were last compared, in nanoseconds since 1970

	lock    chan struct{} // holds one element while a connection is opened or closed
	conns   int           // how many are open
	pools   []*sql.DB
	accept  func(context.Context, *sql.DB) error
	changed func(error)
	refused error     // why no connection can be opened, or nil
	tried   time.Time // when accept was last called
}

// fileSet describes the file of a database and the files of its log, which exist while connections
// are open. A file that does not exist is nil.
type fileSet struct {
	path           string // with links resolved; the names of the log files start with it
	main, wal, shm os.FileInfo
}

const (
	// compareInterval is how long the result of a comparison is used. A comparison takes three
	// system calls.
	compareInterval = 2 * time.Millisecond
	// acceptInterval is the shortest time between two attempts to accept another file.
	acceptInterval = time.Second
)

func newSQLiteFile(path string, open, create, look driver.Connector) *sqliteFile {
	return &sqliteFile{path: path, open: open, create: create, look: look, writers: make(chan struct{}, 1), lock: make(chan struct{}, 1)}
}

// WatchFile sets two functions for when a SQLite file is moved or replaced while it is in use.
// accept checks the new file, through a pool that does not change it, and returns an error if the
// file must not be used. If accept is nil, only the first file is used. changed is called with an
// error when the file is no longer at its path, and with nil when the database can be used again.
// For other databases WatchFile does nothing.
func (db *DB) WatchFile(accept func(context.Context, *sql.DB) error, changed func(error)) {
	if db.file == nil {
		return
	}
	db.file.lock <- struct{}{}
	defer func() { <-db.file.lock }()
	db.file.accept, db.file.changed = accept, changed
}

// add registers a pool whose connections are closed when the file is replaced.
func (f *sqliteFile) add(pool *sql.DB) {
	f.lock <- struct{}{}
	defer func() { <-f.lock }()
	f.pools = append(f.pools, pool)
}

// current returns the files that are at the path now, with links resolved.
func (f *sqliteFile) current() (fileSet, error) {
	// SQLite keeps the log next to the file that a link leads to.
	path, err := filepath.EvalSymlinks(f.path)
	if err != nil {
		return fileSet{}, err
	}
	return f.at(path)
}

// at returns the file at f.path, and the log files whose names start with path.
func (f *sqliteFile) at(path string) (fileSet, error) {
	main, err := os.Stat(f.path)
	if err != nil {
		return fileSet{}, err
	}
	return fileSet{path, main, stat(path + "-wal"), stat(path + "-shm")}, nil
}

// stat returns information about a file, or nil if the file does not exist or cannot be seen.
func stat(path string) os.FileInfo {
	info, err := os.Stat(path)
	if err != nil {
		return nil
	}
	return info
}

// compare returns a *FileError if the files at the path are not the ones in use.
func (f *sqliteFile) compare() error {
	used := f.used.Load()
	if used == nil {
		return nil
	}
	now, err := f.at(used.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return &FileError{reasonMoved, fmt.Sprintf("put %s back, with its -wal and -shm", f.path)}
	case err != nil:
		return &FileError{reasonMoved, err.Error()}
	case !os.SameFile(used.main, now.main):
		return &FileError{reasonReplaced, fmt.Sprintf("%s is another file by now", f.path)}
	case missing(used.wal, now.wal) || missing(used.shm, now.shm):
		return &FileError{reasonLog, fmt.Sprintf("%s-wal and -shm belong to it for as long as it is open", f.path)}
	}
	return nil
}

// missing reports whether a file that existed before is gone or was replaced.
func missing(before, now os.FileInfo) bool {
	return before != nil && (now == nil || !os.SameFile(before, now))
}

// stale reports whether the file at the path is no longer the one in use. Within compareInterval it
// repeats no comparison.
func (f *sqliteFile) stale() bool {
	now := time.Now().UnixNano()
	if since := now - f.checked.Load(); since >= 0 && since < int64(compareInterval) {
		return false
	}
	if f.compare() != nil {
		return true
	}
	f.checked.Store(now)
	return false
}

// Connect opens a connection to the file in use. It returns a *FileError if the file was moved or
// replaced.
func (f *sqliteFile) Connect(ctx context.Context) (driver.Conn, error) {
	select {
	case f.lock <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	defer func() { <-f.lock }()
	err := f.compare()
	if err != nil {
		err = f.replace(ctx, err)
	}
	if f.note(err); err != nil {
		return nil, err
	}
	return f.connect(ctx)
}

// Driver returns the driver of SQLite.
func (f *sqliteFile) Driver() driver.Driver { return f.open.Driver() }

// connect opens a connection. If no other connection is open, the files of this one are the files
// in use from now on. The caller holds lock.
func (f *sqliteFile) connect(ctx context.Context) (driver.Conn, error) {
	used, how := f.used.Load(), f.open
	if used == nil && f.create != nil && stat(f.path) == nil {
		how = f.create
		makePrivate(f.path)
	}
	opened, err := busyRetry{how}.Connect(ctx)
	if err != nil {
		return nil, err
	}
	openLog(ctx, opened.(rawConn))
	now, err := f.current()
	if err == nil && used != nil && !os.SameFile(used.main, now.main) {
		err = f.compare()
	}
	if err != nil {
		return nil, errors.Join(err, opened.Close())
	}
	if f.conns == 0 {
		f.used.Store(&now)
	}
	f.conns++
	return &fileConn{opened.(rawConn), f}, nil
}

// makePrivate makes an empty file that only its owner may read: there will be hashes of passwords
// in it. SQLite gives the files of its log the same mode. If the file cannot be made, SQLite says
// why.
func makePrivate(path string) {
	if file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600); err == nil {
		_ = file.Close()
	}
}

// openLog reads from a database, because SQLite creates or opens its log files at the first read.
// It ignores an error, because the next statement returns the same one.
func openLog(ctx context.Context, conn rawConn) {
	rows, err := conn.QueryContext(ctx, "SELECT 1 FROM sqlite_schema LIMIT 1", nil)
	if err == nil {
		_ = rows.Next(make([]driver.Value, 1))
		_ = rows.Close()
	}
}

// replace switches to the file that is now at the path. It switches only if all connections to the
// old file are closed, the log of the old file is gone, and accept allows the new file. Otherwise
// it returns an error. The caller holds lock.
func (f *sqliteFile) replace(ctx context.Context, why error) error {
	if f.conns > 0 {
		go dropIdle(f.pools)
		return why
	}
	used := f.used.Load()
	now, err := f.current()
	if err != nil || os.SameFile(used.main, now.main) || f.accept == nil {
		return why
	}
	if same(used.wal, now.wal) || same(used.shm, now.shm) {
		return &FileError{reasonReplaced, fmt.Sprintf("the log of the file before is still beside %s: put that file back, or remove %[1]s-wal and %[1]s-shm", f.path)}
	}
	if f.refused != nil && time.Since(f.tried) < acceptInterval {
		return f.refused
	}
	f.tried = time.Now()
	other := sql.OpenDB(f.look)
	defer other.Close()
	if err := f.accept(ctx, other); err != nil {
		return &FileError{reasonReplaced, fmt.Sprintf("%s is another file by now, and cannot be used: %s", f.path, RedactError(err))}
	}
	f.used.Store(&fileSet{path: now.path, main: now.main})
	return nil
}

func same(before, now os.FileInfo) bool {
	return before != nil && now != nil && os.SameFile(before, now)
}

// note calls changed if the file has just become unusable or usable again, which err says. The
// caller holds lock.
func (f *sqliteFile) note(err error) {
	if (err == nil) != (f.refused == nil) && f.changed != nil {
		f.changed(err)
	}
	f.refused = err
}

// dropIdle closes idle connections. The pools close the others when they are returned.
func dropIdle(pools []*sql.DB) {
	for _, pool := range pools {
		pool.SetMaxIdleConns(-1)
		pool.SetMaxIdleConns(pool.Stats().MaxOpenConnections)
	}
}

// fileConn is a connection to a file. After the file was moved, the connection does not commit and
// is not used again.
type fileConn struct {
	rawConn
	file *sqliteFile
}

// ExecContext runs a statement. A COMMIT fails with a *FileError if the file was moved or replaced.
func (c *fileConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	if query == "COMMIT" {
		if err := c.file.compare(); err != nil {
			return nil, err
		}
	}
	return c.rawConn.ExecContext(ctx, query, args)
}

// ResetSession runs before the connection is used again. It returns driver.ErrBadConn if the file
// was moved or replaced.
func (c *fileConn) ResetSession(ctx context.Context) error {
	if c.file.stale() {
		return driver.ErrBadConn
	}
	return c.rawConn.ResetSession(ctx)
}

// Close closes the connection. When the last one is closed, SQLite removes its log, unless the file
// was moved.
func (c *fileConn) Close() error {
	f := c.file
	f.lock <- struct{}{}
	defer func() { <-f.lock }()
	err := c.rawConn.Close()
	f.conns--
	if used := f.used.Load(); f.conns == 0 {
		if now := stat(f.path); now != nil && os.SameFile(used.main, now) {
			f.used.Store(&fileSet{path: used.path, main: used.main})
		}
	}
	return err
}
