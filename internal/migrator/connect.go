package migrator

import (
	"context"
	"database/sql"
)

// connect takes a connection from the pool. When several processes open a new
// SQLite file at once, each tries to switch it to the write-ahead log as it
// connects, and for that SQLite waits for nobody: all but one are told that
// the database is locked.
func connect(ctx context.Context, db *sql.DB) (conn *sql.Conn, err error) {
	err = retryOnBusy(ctx, func() error {
		conn, err = db.Conn(ctx)
		return err
	})
	return conn, err
}
