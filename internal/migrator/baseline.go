package migrator

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/pressly/goose/v3/database"

	"forge/internal/migrator/catalog"
)

// unrecorded reports whether there is no description of the schema that the newest applied version
// left, so that nothing can be compared. This is so if somebody ran a script by hand, if an older
// build applied the version, or if another major version of PostgreSQL wrote the description.
func (r *Report) unrecorded() bool { return r.Drift.NotCompared != "" && !r.locked }

// recordSchema stores a description of the present schema with the newest version. The database
// must have all versions. Later checks compare the schema with this description.
func (r runner) recordSchema(ctx context.Context, conn *sql.Conn) (err error) {
	release, err := r.acquire(ctx, conn)
	if err != nil {
		return err
	}
	defer func() { err = release(context.WithoutCancel(ctx), err) }()
	return r.retryOnLock(ctx, "look at the schema", func() error {
		report, err := reportOn(ctx, conn, r.dialect, r.files)
		if err != nil || !report.unrecorded() || report.Err() != nil {
			return err // another process has recorded it in the meantime
		}
		store, err := newStore(r.dialect, r.files, false)
		if err != nil {
			return err
		}
		if err := store.prepare(ctx, conn, report.history); err != nil {
			return err
		}
		newest := report.history.newest()
		if err := store.recordSchema(ctx, conn, newest); err != nil {
			return err
		}
		r.log.InfoContext(ctx, "wrote down what the schema is: from now on it is seen when somebody changes it by hand", "after", r.named(newest).File())
		return nil
	})
}

// recordSchema stores a description of the present schema with a version.
func (s *store) recordSchema(ctx context.Context, db database.DBTxConn, version int64) error {
	tables, _, err := tablesUpTo(s.files, version)
	if err != nil {
		return err
	}
	d, err := describeTables(ctx, db, s.dialect, tables)
	if err != nil {
		return err
	}
	if _, err := db.ExecContext(ctx, fmt.Sprintf("UPDATE %s SET schema = $1 WHERE version_id = %d", catalog.VersionTable, version), d.String()); err != nil {
		return fmt.Errorf("record what the version %d left: %w", version, err)
	}
	return nil
}
