package migrator

import (
	"context"
	"database/sql"
)

// connect takes a connection from the pool. It repeats the attempt while SQLite is busy: if
// several processes open a new file at once, each tries to switch it to the write-ahead log, and
// SQLite does not wait for that but fails in all processes except one.
func connect(ctx context.Context, db *sql.DB) (conn *sql.Conn, err error) {
	err = retryOnBusy(ctx, func() error {
		conn, err = db.Conn(ctx)
		return err
	})
	return conn, err
}
