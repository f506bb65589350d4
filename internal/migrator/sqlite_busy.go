package migrator

import (
	"context"
	"errors"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"forge/internal/retry"
)

// poll spaces attempts at something that another process has.
var poll = retry.Backoff{First: 50 * time.Millisecond}

// retryOnBusy calls try again for as long as SQLite reports that another process has the database.
// It returns when ctx ends. SQLite's own busy timeout does not cover every case, and does not
// notice the end of ctx.
func retryOnBusy(ctx context.Context, try func() error) error {
	for attempt := 1; ; attempt++ {
		err := try()
		var e *sqlite.Error
		const primary = 0xff // the rest of the code says why
		if !errors.As(err, &e) || e.Code()&primary != sqlite3.SQLITE_BUSY {
			return err
		}
		if ended := poll.Wait(ctx, attempt); ended != nil {
			return errors.Join(ended, err)
		}
	}
}
