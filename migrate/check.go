package migrate

import (
	"context"
	"database/sql"
	"io/fs"
	"strings"
)

// A PendingError says that a database lacks versions that this binary needs.
type PendingError struct {
	Versions []Version // what is missing, oldest first
}

// Error names what is missing and the command that brings it.
func (e *PendingError) Error() string {
	return "the database is older than this build: it lacks " + list(e.Versions) +
		"; `migrate up` brings it up to date"
}

// A NewerError says that a database has versions that this binary does not
// know: another, newer build has migrated it.
type NewerError struct {
	Versions []Version // what is unknown here, oldest first; they have no names
}

// Error names the unknown versions.
func (e *NewerError) Error() string {
	return "the database is newer than this build: it has " + list(e.Versions) +
		", unknown here; run the build that brought it, or undo it with that build's `migrate down`"
}

func list(versions []Version) string {
	names := make([]string, len(versions))
	for i, v := range versions {
		names[i] = v.String()
	}
	return strings.Join(names, ", ")
}

// Check returns nil when the database has exactly the versions that this
// binary was built with, a *NewerError when it has others as well, and
// otherwise a *PendingError. It writes nothing.
func Check(ctx context.Context, db *sql.DB, dialect string) error {
	files, err := filesOf(dialect)
	if err != nil {
		return err
	}
	return check(ctx, db, dialect, files)
}

func check(ctx context.Context, db querier, dialect string, files fs.FS) error {
	states, err := status(ctx, db, dialect, files)
	if err != nil {
		return err
	}
	var pending, unknown []Version
	for _, s := range states {
		switch {
		case s.Version.Name == "":
			unknown = append(unknown, s.Version)
		case s.AppliedAt.IsZero():
			pending = append(pending, s.Version)
		}
	}
	switch {
	case unknown != nil:
		return &NewerError{unknown}
	case pending != nil:
		return &PendingError{pending}
	default:
		return nil
	}
}
