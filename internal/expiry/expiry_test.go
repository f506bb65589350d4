package expiry

import (
	"context"
	"testing"
	"time"

	"forge/internal/database"
	"forge/test/dbtest"
)

// TestAll checks that each unit of work has a deadline and the time of the database's clock.
func TestAll(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, address string) {
		db, err := database.Open(address, database.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		rounds := 0
		some := Some(func(ctx context.Context, now time.Time) (int, error) {
			if at, ok := ctx.Deadline(); !ok || time.Until(at) > roundTime {
				t.Errorf("the round ends at %v", at)
			}
			if off := time.Since(now); off.Abs() > time.Minute {
				t.Errorf("the time is %v", now)
			}
			rounds++
			return Limit - rounds/2, nil // another round after a full one
		})
		if n, err := some.All(t.Context(), db); n != Limit+Limit-1 || err != nil || rounds != 2 {
			t.Errorf("%d rows in %d rounds, %v", n, rounds, err)
		}
	})
}
