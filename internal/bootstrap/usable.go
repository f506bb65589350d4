package bootstrap

import (
	"context"
	"strings"
	"time"

	"entgo.io/ent/dialect"

	"forge/internal/database"
)

// startTimeout is how long Forge waits for a database when it starts. SQLite itself waits up to 5
// seconds for a locked file.
const startTimeout = 10 * time.Second

// answers returns an error if the database does not respond.
func answers(ctx context.Context, db *database.DB, _ string) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	return db.PingContext(ctx)
}

// usable returns an error if the database does not respond, or if its file is locked or cannot be
// written.
func usable(ctx context.Context, db *database.DB, address string) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	if db.Dialect != dialect.SQLite || strings.HasSuffix(address, "?mode=ro") {
		return db.PingContext(ctx)
	}
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	if _, err := conn.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
		return err
	}
	// SQLite opens a file that it may not write, and even begins a transaction. Only the first
	// write fails, so a write is tried here and rolled back.
	_, err = conn.ExecContext(ctx, "CREATE TABLE forge_may_write (x)")
	if _, rollback := conn.ExecContext(context.WithoutCancel(ctx), "ROLLBACK"); err == nil {
		err = rollback
	}
	return err
}

// usableByOthers does the same as usable, but returns no error if another process has locked the
// file.
func usableByOthers(ctx context.Context, db *database.DB, address string) error {
	if err := usable(ctx, db, address); !database.Busy(err) {
		return err
	}
	return nil
}
