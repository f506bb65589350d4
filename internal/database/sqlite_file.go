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

// FileError says that the file of a SQLite database is no longer the one that is in use. Nothing is read or written until it is again.
type FileError struct {
	Reason string // for everybody
	detail string // with the path and what to do, for the log
}

// Error names the file and what to do.
func (e *FileError) Error() string { return e.Reason + ": " + e.detail }

const (
	reasonMoved    = "the file of the database was moved or removed while it was in use"
	reasonReplaced = "the file of the database was replaced while it was in use"
	reasonLog      = "a log file of the database was moved or removed while it was in use"
)

// sqliteFile keeps connections from using another file than the one that was opened first. SQLite goes on with a file that was moved
// away, while new connections would use, or make, the one that is at the path by then; and it mixes a log with a file that the log
// does not belong to. Pools of one process for the same file share it.
type sqliteFile struct {
	path   string
	open   driver.Connector // of a file that is there
	create driver.Connector // makes the file; nil if it must be there
	look   driver.Connector // changes nothing about the file

	used    atomic.Pointer[fileSet] // what is in use; nil before the first connection
	checked atomic.Int64            // when it was last compared, in nanoseconds of the Unix epoch

	turn    chan struct{} // holds one while somebody opens or closes a connection
	conns   int           // that are open
	pools   []*sql.DB
	accept  func(context.Context, *sql.DB) error
	changed func(error)
	refused error // why nothing is opened; nil if it is
	tried   time.Time
}

// fileSet is a database's file, and the files of its log, which are there while there are connections; nil if one is not there.
type fileSet struct {
	path           string // that those of the log begin with
	main, wal, shm os.FileInfo
}

const (
	// unchecked is for how long files are taken to be the same without another look, which is three system calls.
	unchecked = 2 * time.Millisecond
	// between is how far apart attempts to use another file are.
	between = time.Second
)

func newSQLiteFile(path string, open, create, look driver.Connector) *sqliteFile {
	return &sqliteFile{path: path, open: open, create: create, look: look, turn: make(chan struct{}, 1)}
}

// WatchFile says what to do about a SQLite file that is replaced while it is in use: accept looks at the new one, over a pool that
// changes nothing, and returns an error if it must not be used; changed is told when the file in use is no longer there, and with nil
// when all is well again. Without accept none but the first file is used. It does nothing for other databases.
func (db *DB) WatchFile(accept func(context.Context, *sql.DB) error, changed func(error)) {
	if db.file == nil {
		return
	}
	db.file.turn <- struct{}{}
	defer func() { <-db.file.turn }()
	db.file.accept, db.file.changed = accept, changed
}

// add has a pool give up its connections once the file is no longer there.
func (f *sqliteFile) add(pool *sql.DB) {
	f.turn <- struct{}{}
	defer func() { <-f.turn }()
	f.pools = append(f.pools, pool)
}

// there returns what is at the path now.
func (f *sqliteFile) there() (fileSet, error) {
	// SQLite puts the log beside the file that a link leads to.
	path, err := filepath.EvalSymlinks(f.path)
	if err != nil {
		return fileSet{}, err
	}
	return f.at(path)
}

// at returns what is at the path now, with the log that is beside another path.
func (f *sqliteFile) at(path string) (fileSet, error) {
	main, err := os.Stat(f.path)
	if err != nil {
		return fileSet{}, err
	}
	return fileSet{path, main, stat(path + "-wal"), stat(path + "-shm")}, nil
}

// stat returns nil if there is no such file, or none that can be seen.
func stat(path string) os.FileInfo {
	info, err := os.Stat(path)
	if err != nil {
		return nil
	}
	return info
}

// compare returns a *FileError if what is there is not what is in use.
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

// missing reports whether a file that was there is not, or is another one.
func missing(before, now os.FileInfo) bool {
	return before != nil && (now == nil || !os.SameFile(before, now))
}

// stale reports whether the file is not the one that connections use. It does not look each time.
func (f *sqliteFile) stale() bool {
	now := time.Now().UnixNano()
	if since := now - f.checked.Load(); since >= 0 && since < int64(unchecked) {
		return false
	}
	if f.compare() != nil {
		return true
	}
	f.checked.Store(now)
	return false
}

// Connect opens a connection to the file in use. The error is a *FileError if that is not there.
func (f *sqliteFile) Connect(ctx context.Context) (driver.Conn, error) {
	select {
	case f.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	defer func() { <-f.turn }()
	err := f.compare()
	if err != nil {
		err = f.replace(ctx, err)
	}
	if f.note(err); err != nil {
		return nil, err
	}
	return f.connect(ctx)
}

// Driver returns SQLite's.
func (f *sqliteFile) Driver() driver.Driver { return f.open.Driver() }

// connect opens a connection, and notes the files that it uses if it is the only one. The caller has the turn.
func (f *sqliteFile) connect(ctx context.Context) (driver.Conn, error) {
	used, how := f.used.Load(), f.open
	if used == nil && f.create != nil && stat(f.path) == nil {
		how = f.create
	}
	opened, err := busyRetry{how}.Connect(ctx)
	if err != nil {
		return nil, err
	}
	openLog(ctx, opened.(rawConn))
	now, err := f.there()
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

// openLog reads from a database. SQLite makes the files of its log, or opens them, when a connection reads for the first time. If
// that fails, the next statement says why.
func openLog(ctx context.Context, conn rawConn) {
	rows, err := conn.QueryContext(ctx, "SELECT 1 FROM sqlite_schema LIMIT 1", nil)
	if err == nil {
		_ = rows.Next(make([]driver.Value, 1))
		_ = rows.Close()
	}
}

// replace has the file that is at the path by now be the one in use, if it may be: all connections to the one before are closed,
// nothing of its log is left, and the file was accepted. Otherwise it returns why not. The caller has the turn.
func (f *sqliteFile) replace(ctx context.Context, why error) error {
	if f.conns > 0 {
		go dropIdle(f.pools)
		return why
	}
	used := f.used.Load()
	now, err := f.there()
	if err != nil || os.SameFile(used.main, now.main) || f.accept == nil {
		return why
	}
	if same(used.wal, now.wal) || same(used.shm, now.shm) {
		return &FileError{reasonReplaced, fmt.Sprintf("the log of the file before is still beside %s: put that file back, or remove %[1]s-wal and %[1]s-shm", f.path)}
	}
	if f.refused != nil && time.Since(f.tried) < between {
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

// note tells whether the file can be used, if that has changed. The caller has the turn.
func (f *sqliteFile) note(err error) {
	if (err == nil) != (f.refused == nil) && f.changed != nil {
		f.changed(err)
	}
	f.refused = err
}

// dropIdle closes the connections that nobody uses. Those in use are closed when they are given back.
func dropIdle(pools []*sql.DB) {
	for _, pool := range pools {
		pool.SetMaxIdleConns(-1)
		pool.SetMaxIdleConns(pool.Stats().MaxOpenConnections)
	}
}

// fileConn is a connection that is not used again, and does not commit, once its file is no longer where it was.
type fileConn struct {
	rawConn
	file *sqliteFile
}

// ExecContext runs a statement. A COMMIT fails with a *FileError if the file is no longer where it was.
func (c *fileConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	if query == "COMMIT" {
		if err := c.file.compare(); err != nil {
			return nil, err
		}
	}
	return c.rawConn.ExecContext(ctx, query, args)
}

// ResetSession is called before the connection is used again.
func (c *fileConn) ResetSession(ctx context.Context) error {
	if c.file.stale() {
		return driver.ErrBadConn
	}
	return c.rawConn.ResetSession(ctx)
}

// Close closes the connection. With the last one SQLite removes the log, unless the file was moved.
func (c *fileConn) Close() error {
	f := c.file
	f.turn <- struct{}{}
	defer func() { <-f.turn }()
	err := c.rawConn.Close()
	f.conns--
	if used := f.used.Load(); f.conns == 0 {
		if now := stat(f.path); now != nil && os.SameFile(used.main, now) {
			f.used.Store(&fileSet{path: used.path, main: used.main})
		}
	}
	return err
}
