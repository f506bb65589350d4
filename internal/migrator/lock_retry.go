package migrator

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/lib/pq"
	"github.com/lib/pq/pqerror"
)

// tries is how often something is tried that others are in the way of. With the
// usual limit they are spread over a minute or two.
const tries = 10

// patiently does something again when it could not get a lock in time, or was
// given up to end a deadlock. All of it has been rolled back then, and whoever
// queued up behind it gets through in the meantime.
func (r runner) patiently(ctx context.Context, what string, do func() error) error {
	for try := 1; ; try++ {
		err := do()
		if !inTheWay(err) {
			return err
		}
		if try == tries {
			return fmt.Errorf("%w; others held a lock that it needs, %d times in a row: end the transaction that does (pg_stat_activity, pg_locks) or "+
				"wait for it, and run this again", err, tries)
		}
		wait := backoff(try)
		r.log.WarnContext(ctx, "others hold a lock that is needed: trying again",
			"for", what, "try", try, "of", tries, "pause", wait, "error", err)
		select {
		case <-ctx.Done():
			return errors.Join(ctx.Err(), err)
		case <-time.After(wait):
		}
	}
}

func inTheWay(err error) bool {
	refused, ok := errors.AsType[*pq.Error](err)
	return ok && (refused.Code == pqerror.LockNotAvailable || refused.Code == pqerror.TRDeadlockDetected)
}

// backoff doubles from half a second to eight, less a random part: two
// processes that are in each other's way should not meet again.
func backoff(try int) time.Duration {
	longest := 500 * time.Millisecond << min(try-1, 4)
	return longest - rand.N(longest/2)
}
