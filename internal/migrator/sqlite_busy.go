package migrator

import (
	"context"
	"errors"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// whileBusy tries something again for as long as SQLite says that another
// process has the database. SQLite can wait by itself, but does not in every
// case, and does not notice when ctx ends.
func whileBusy(ctx context.Context, try func() error) error {
	for {
		err := try()
		var e *sqlite.Error
		const primary = 0xff // the rest of the code says why
		if !errors.As(err, &e) || e.Code()&primary != sqlite3.SQLITE_BUSY {
			return err
		}
		if pause(ctx) != nil {
			return errors.Join(ctx.Err(), err)
		}
	}
}

// pause waits before something is asked again.
func pause(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(50 * time.Millisecond):
		return nil
	}
}
