package bootstrap

import (
	"context"
	"strings"
	"time"

	"entgo.io/ent/dialect"

	"forge/internal/database"
)

// patience is how long a database may take to answer when Forge starts. A SQLite file that is in use is waited for 5 s.
const patience = 10 * time.Second

// answers returns an error if the database does not answer.
func answers(ctx context.Context, db *database.DB, _ string) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return db.PingContext(ctx)
}

// usable returns an error if the database does not answer, or is a file that is locked or cannot be written.
func usable(ctx context.Context, db *database.DB, address string) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
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
	// SQLite opens a file without the right to write, and begins without it: only writing tells.
	_, err = conn.ExecContext(ctx, "CREATE TABLE forge_may_write (x)")
	if _, rollback := conn.ExecContext(context.WithoutCancel(ctx), "ROLLBACK"); err == nil {
		err = rollback
	}
	return err
}

// usableByOthers is usable, unless others are using the database right now.
func usableByOthers(ctx context.Context, db *database.DB, address string) error {
	if err := usable(ctx, db, address); !database.Busy(err) {
		return err
	}
	return nil
}
