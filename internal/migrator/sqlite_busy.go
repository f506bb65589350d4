package migrator

import (
	"context"
	"errors"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"forge/internal/retry"
)

// poll defines the pauses between attempts to get something that another process has.
var poll = retry.Backoff{First: 50 * time.Millisecond}

// retryOnBusy calls try again while SQLite reports that another process uses the database. If ctx
// ends, it returns an error. SQLite's own busy timeout does not cover all cases, and does not
// notice the end of ctx.
func retryOnBusy(ctx context.Context, try func() error) error {
	for attempt := 1; ; attempt++ {
		err := try()
		var e *sqlite.Error
		const primary = 0xff // the other bits of the code say why
		if !errors.As(err, &e) || e.Code()&primary != sqlite3.SQLITE_BUSY {
			return err
		}
		if ended := poll.Wait(ctx, attempt); ended != nil {
			return errors.Join(ended, err)
		}
	}
}
