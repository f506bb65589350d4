package migrator

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"entgo.io/ent/dialect"
	"github.com/pressly/goose/v3/database"
)

// BaselineMark is the first line of a file that makes the tables of a database that was adopted.
const BaselineMark = "-- forge:baseline"

// Adopted reports whether the first file is the baseline of a database that was there before.
func (s Source) Adopted() (bool, error) {
	files, err := s.files()
	if err != nil {
		return false, err
	}
	versions, err := Versions(files)
	if err != nil || len(versions) == 0 {
		return false, err
	}
	first, err := ReadScript(files, versions[0])
	return first.Baseline, err
}

// adopted records a baseline as applied if all tables that it makes are there, and reports whether
// it did. If none of them is there, the file has to run. It returns an error if only some are.
func (r runner) adopted(ctx context.Context, db *sql.DB, store *store, s step) (bool, error) {
	if !s.script.Baseline || s.down {
		return false, nil
	}
	var there, missing []string
	for _, statement := range s.script.Up {
		for _, table := range tablesMadeBy(statement.Text) {
			found, err := r.hasTable(ctx, db, table)
			if err != nil {
				return false, fmt.Errorf("migrate: look for the table %s: %w", table, err)
			}
			if found {
				there = append(there, table)
			} else {
				missing = append(missing, table)
			}
		}
	}
	switch {
	case there == nil:
		return false, nil
	case missing != nil:
		return false, &StepError{File: s.version.File(), Err: fmt.Errorf("it is a baseline, and the database has only some of its tables: it lacks %s; "+
			"it has to have all of them, or none", strings.Join(missing, ", "))}
	}
	if err := store.Insert(ctx, db, database.InsertRequest{Version: s.version.Number}); err != nil {
		return false, err
	}
	r.log.InfoContext(ctx, "recorded the baseline as applied: its tables are there", "file", s.version.File(), "tables", len(there))
	return true, nil
}

func (r runner) hasTable(ctx context.Context, db *sql.DB, table string) (found bool, err error) {
	query := "SELECT to_regclass(quote_ident($1)) IS NOT NULL"
	if r.dialect == dialect.SQLite {
		query = "SELECT EXISTS (SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = $1 COLLATE NOCASE)"
	}
	err = db.QueryRowContext(ctx, query, table).Scan(&found)
	return found, err
}

// keepBaseline returns an error if one of the steps would undo a baseline, which would drop tables
// that were there before Forge.
func keepBaseline(steps []step) error {
	for _, s := range steps {
		if s.script.Baseline {
			return fmt.Errorf("migrate: %s is the baseline of a database that was there before, and is not undone; drop its tables by hand if they have to go", s.version.File())
		}
	}
	return nil
}
