package migrator

import (
	"context"
	"database/sql"
)

// connect takes a connection from the pool, and tries again while SQLite is busy. If several
// processes open a new file at once, each of them tries to switch the file to a write-ahead log.
// SQLite does not wait in this case: it returns an error in all processes except one.
func connect(ctx context.Context, db *sql.DB) (conn *sql.Conn, err error) {
	err = retryOnBusy(ctx, func() error {
		conn, err = db.Conn(ctx)
		return err
	})
	return conn, err
}
