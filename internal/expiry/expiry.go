// Package expiry removes rows whose time is over.
package expiry

import (
	"context"
	"log/slog"
	"time"

	"forge/internal/database"
	"forge/internal/unit"
	"forge/internal/viewer"
)

// Limit is how many rows are removed at once, so that many are never locked for long.
const Limit = 1000

// roundTime is how long removing some rows may take. What the database does not answer in that time is
// given up, so that a connection that died without a word does not end all sweeping.
const roundTime = 30 * time.Second

// Some removes up to Limit rows whose time was over at now, in the unit of work on ctx. It returns
// how many there were.
type Some func(ctx context.Context, now time.Time) (int, error)

// All removes until there are none left, and returns how many there were. Each time is a unit of work of its own.
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

// once removes some, by the database's clock: one server whose clock is ahead must not remove what is good on the others.
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

// Every removes again and again until ctx ends. what names the rows in the log.
func (some Some) Every(ctx context.Context, db *database.DB, pause time.Duration, what string, log *slog.Logger) {
	tick := time.NewTicker(pause)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if n, err := some.All(ctx, db); err != nil && ctx.Err() == nil {
				log.WarnContext(ctx, "expired rows were not removed; the next try is in a while", "of", what, "error", err)
			} else if n > 0 {
				log.DebugContext(ctx, "removed expired rows", "of", what, "rows", n)
			}
		}
	}
}
