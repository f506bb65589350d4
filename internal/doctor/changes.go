package doctor

import (
	"context"
	"fmt"
	"time"

	"entgo.io/ent/dialect"

	"forge/internal/application"
	"forge/internal/changes"
	"forge/internal/database"
)

// changes reports how large the log of changes is, and what keeps subscribers from being told in time.
func (d *Doctor) changes(ctx context.Context, db *database.DB) (found []Finding) {
	log := changes.New(db.DB, db.Dialect, d.app.API(application.Services{}).Entities)
	if log == nil {
		return nil
	}
	n, err := log.Size(ctx)
	if err != nil {
		return nil // the checks schema and permissions report tables that cannot be read
	}
	if most := int64(d.config.ChangesMaxRows); n > most+most/10 {
		return []Finding{warn("changes", fmt.Sprintf("the log has about %d changes, and CHANGES_MAX_ROWS allows %d", n, most),
			"A running server removes those beyond each minute; see its log for why it does not.")}
	}
	if db.Options.PgBouncer && d.config.ChangesURL == "" {
		found = append(found, warn("changes", "no connection listens behind PgBouncer, so servers notice each other's changes only every 250 ms",
			"Set CHANGES_URL to the address of PostgreSQL itself."))
	}
	if age := oldestTransaction(ctx, db); age > time.Hour {
		found = append(found, warn("changes", fmt.Sprintf("a transaction has been open for %s: its own changes are told when it ends, and old rows of the log stay on the disk until then", age.Round(time.Minute)),
			"`forge db activity` shows the session; end it if nobody needs it."))
	}
	if files := openFiles(); d.config.Streams > 0 && files > 0 && files < uint64(d.config.Streams)+spareFiles {
		found = append(found, warn("changes", fmt.Sprintf("a process may open %d files, and each stream is one: STREAMS allows %d", files, d.config.Streams),
			fmt.Sprintf("Raise the limit to %d at least (LimitNOFILE of systemd, ulimit -n), or lower STREAMS.", d.config.Streams+spareFiles)))
	}
	return append(found, ok("changes", "the log has about %d changes", n))
}

// spareFiles is how many files a server has open beside streams: connections to the database and
// those of requests.
const spareFiles = 1000

// oldestTransaction returns for how long the oldest transaction of the database has been open. It
// returns 0 on SQLite, and if it cannot find out.
func oldestTransaction(ctx context.Context, db *database.DB) time.Duration {
	var seconds float64
	if db.Dialect != dialect.Postgres || db.QueryRowContext(ctx, `SELECT coalesce(extract(epoch FROM max(now() - xact_start)), 0)
FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`).Scan(&seconds) != nil {
		return 0
	}
	return time.Duration(seconds * float64(time.Second))
}
