package migrator

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"entgo.io/ent/dialect"
	"github.com/pressly/goose/v3/database"

	"forge/internal/migrator/catalog"
)

// A RestoreError means that a down section did not restore the schema from before its version.
type RestoreError struct {
	Before Version  // the version before the undone one, or the zero value
	Lines  []string // the differences, each a sentence
}

// Error lists all differences.
func (e *RestoreError) Error() string {
	before := "there was before it"
	if e.Before.Number != 0 {
		before = e.Before.String() + " left"
	}
	return fmt.Sprintf("it does not bring back what %s: %s", before, strings.Join(e.Lines, "; "))
}

// Delete records in the transaction of the step that a version has been undone. It returns a
// *RestoreError if the schema is not the one that was recorded with the version before. A step
// outside of a transaction cannot be rolled back: then Delete stores the error in left and returns
// nil.
func (s *store) Delete(ctx context.Context, db database.DBTxConn, version int64) error {
	if err := s.Store.Delete(ctx, db, version); err != nil {
		return fmt.Errorf("record that the version %d is undone: %w", version, err)
	}
	if s.anySchema {
		return nil
	}
	differs, err := s.compare(ctx, db, version)
	if err != nil || differs == nil {
		return err
	}
	if _, inTransaction := db.(*sql.Tx); !inTransaction && s.dialect == dialect.Postgres {
		s.left = differs
		return nil
	}
	return differs
}

// compare returns the differences between the schema and the schema from before the undone version.
// It returns nil if there are none, or if the schema from before is not known.
func (s *store) compare(ctx context.Context, db database.DBTxConn, undone int64) (*RestoreError, error) {
	var before sql.NullInt64
	err := db.QueryRowContext(ctx, fmt.Sprintf("SELECT max(version_id) FROM %s WHERE version_id < %d AND is_applied",
		catalog.VersionTable, undone)).Scan(&before)
	if err != nil {
		return nil, fmt.Errorf("look for the version before %d: %w", undone, err)
	}
	was, known, err := descriptionOf(ctx, db, history{columns: true}, before.Int64)
	if err != nil || !known {
		return nil, err
	}
	// The tables that the version created must be gone. The description from before does not list
	// them.
	made, _, err := tablesUpTo(s.files, undone)
	if err != nil {
		return nil, err
	}
	now, err := describeTables(ctx, db, s.dialect, slices.Concat(was.tables(), made))
	if err != nil || before.Int64 != 0 && now.by != was.by {
		return nil, err
	}
	lines := differences(was, now)
	if lines == nil {
		return nil, nil
	}
	return &RestoreError{runner{files: s.files}.named(before.Int64), lines}, nil
}
