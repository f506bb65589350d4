package migrator

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/lib/pq"
	"github.com/lib/pq/pqerror"

	"forge/internal/retry"
)

// maxTries is how often a step is tried while other transactions hold a lock that the step needs.
// With the usual lock timeout, all tries together take a minute or two.
const maxTries = 10

// lockBackoff defines the pauses between the tries.
var lockBackoff = retry.Backoff{First: 500 * time.Millisecond, Max: 8 * time.Second, Jitter: 0.5}

// retryOnLock calls do again if it could not get a lock in time, or if PostgreSQL cancelled it to
// end a deadlock. After such an error the transaction of do has been rolled back, so statements of
// others that waited behind it run during the pause.
func (r runner) retryOnLock(ctx context.Context, what string, do func() error) error {
	for try := 1; ; try++ {
		err := do()
		if !isLockConflict(err) {
			return err
		}
		if try == maxTries {
			return fmt.Errorf("%w; others held a lock that it needs, %d times in a row: end the transaction that does "+
				"(pg_stat_activity, pg_locks) or wait for it, and run this again", err, maxTries)
		}
		r.log.WarnContext(ctx, "others hold a lock that is needed: trying again",
			"for", what, "try", try, "of", maxTries, "error", err)
		if ended := lockBackoff.Wait(ctx, try); ended != nil {
			return errors.Join(ended, err)
		}
	}
}

// isLockConflict reports whether a statement failed because of the locks of other transactions.
func isLockConflict(err error) bool {
	refused, ok := errors.AsType[*pq.Error](err)
	return ok && (refused.Code == pqerror.LockNotAvailable || refused.Code == pqerror.TRDeadlockDetected)
}
