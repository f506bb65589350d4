// Package expiry removes expired rows in the background.
package expiry

import (
	"context"
	"log/slog"
	"time"

	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/sql"

	"forge/internal/database"
	"forge/internal/retry"
	"forge/internal/unit"
	"forge/internal/viewer"
)

// Limit is the largest number of rows that one transaction removes. So no transaction locks many
// rows for a long time.
const Limit = 1000

// SkipLocked is a condition of a query for rows to remove. On PostgreSQL, the query leaves out rows
// that another server removes at the same time, and locks the others.
func SkipLocked(s *sql.Selector) {
	if s.Dialect() == dialect.Postgres {
		s.ForUpdate(sql.WithLockAction(sql.SkipLocked))
	}
}

// roundTime is the longest time that one transaction may take. Without it, a connection that has
// fallen silent would end the removal for good.
const roundTime = 30 * time.Second

// Some removes up to Limit rows that had expired at the time now. It uses the unit of work on ctx,
// and returns the number of removed rows.
type Some func(ctx context.Context, now time.Time) (int, error)

// All removes all expired rows, and returns their number. It calls some repeatedly, each time in a
// new unit of work. After an error, it returns the number of rows that were removed before the
// error.
func (some Some) All(ctx context.Context, db *database.DB) (total int, err error) {
	ctx = viewer.NewContext(ctx, viewer.System)
	for {
		n, err := some.once(ctx, db)
		total += n
		if err != nil || n < Limit {
			return total, err
		}
	}
}

// once calls some in a unit of work. now is the time of the database's clock: a server whose own
// clock is ahead must not remove rows that are still valid.
func (some Some) once(ctx context.Context, db *database.DB) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, roundTime)
	defer cancel()
	u := unit.New(db, unit.Write)
	defer u.Rollback()
	now, err := u.Now(ctx)
	if err != nil {
		return 0, err
	}
	n, err := some(unit.NewContext(ctx, u), now)
	if err != nil || n == 0 {
		return 0, err
	}
	return n, u.Commit(ctx)
}

// Every calls All after each pause until ctx ends. what names the rows in the log.
func (some Some) Every(ctx context.Context, db *database.DB, pause time.Duration, what string, log *slog.Logger) {
	Every(ctx, pause, what, func(ctx context.Context) error {
		n, err := some.All(ctx, db)
		if n > 0 {
			log.DebugContext(ctx, "removed expired rows", "of", what, "rows", n)
		}
		return err
	}, log)
}

// Every calls remove about each pause until ctx ends. It logs the first of several failures, unless
// the database can only be read: then nothing comes to its tables either. what names the rows that
// are removed.
func Every(ctx context.Context, pause time.Duration, what string, remove func(context.Context) error, log *slog.Logger) {
	failed := false
	for (retry.Backoff{First: pause, Jitter: 0.2}).Wait(ctx, 1) == nil {
		err := remove(ctx)
		if err != nil && !failed && ctx.Err() == nil && !database.ReadOnly(err) {
			log.WarnContext(ctx, "expired rows not removed, retrying later", "of", what, "error", database.RedactError(err))
		}
		failed = err != nil
	}
}
