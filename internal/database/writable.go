package database

import (
	"context"

	"entgo.io/ent/dialect"
)

// Writable reports whether new transactions may write: not on a standby, not where the server or the address says read-only, and
// not to a file that this process may only read.
func (db *DB) Writable(ctx context.Context) (writable bool, err error) {
	if db.Dialect == dialect.SQLite {
		return !db.readOnly && (db.file == nil || mayWrite(db.file.path)), nil
	}
	err = db.QueryRowContext(ctx, "SELECT NOT (pg_is_in_recovery() OR current_setting('transaction_read_only')::bool)").Scan(&writable)
	return writable, err
}
