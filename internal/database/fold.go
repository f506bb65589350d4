package database

import (
	"context"
	"errors"
	"fmt"

	"entgo.io/ent/dialect"
	"github.com/lib/pq"
)

// Folds returns an error if the database cannot compare texts regardless of case: PostgreSQL does
// it with ICU, which it may be built without.
func (db *DB) Folds(ctx context.Context) error {
	if db.Dialect != dialect.Postgres {
		return nil
	}
	_, err := db.ExecContext(ctx, `SELECT upper('ß' COLLATE "und-x-icu")`)
	if refused, ok := errors.AsType[*pq.Error](err); ok {
		return fmt.Errorf("this PostgreSQL cannot compare texts regardless of case, as it has no collation of ICU for this database: %s", refused.Message)
	}
	return err
}
