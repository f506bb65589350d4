package migrator

import (
	"context"
	"database/sql"
	"fmt"
	"reflect"
	"strings"
	"sync"

	"forge/internal/migrator/catalog"
)

// Check returns nil if the database has the versions of the files, and the schema that the versions
// left. It may also have newer versions that say that this build may go on: see Report.Suits. It
// returns a *PendingError if versions are missing that Up would apply. It returns a *Refusal with
// all reasons if Up and Down would refuse to change the database. Check writes nothing.
func (s Source) Check(ctx context.Context, db *sql.DB) error {
	report, err := s.Status(ctx, db)
	if err != nil {
		return err
	}
	return report.Err()
}

// A PendingError means that a database lacks versions for which there are files.
type PendingError struct {
	Versions []Version // the missing ones, oldest first
}

// Error names the missing versions and the command that applies them.
func (e *PendingError) Error() string {
	return "the database is older than this build: it lacks " + list(e.Versions) +
		"; `migrate up` brings it up to date"
}

// A Refusal lists all reasons not to change a database, one or more of *NewerError,
// *MissingError, *OrderError, *ChangedError, *DriftError and *UnfinishedError.
type Refusal struct{ reasons []error }

// Error returns all reasons on one line.
func (r *Refusal) Error() string {
	var all []string
	for _, reason := range r.reasons {
		all = append(all, reason.Error())
	}
	return strings.Join(all, "; ")
}

// Unwrap returns the reasons.
func (r *Refusal) Unwrap() []error { return r.reasons }

// A NewerError means that a database has versions that are newer than all files of this program. A
// newer build has migrated the database.
type NewerError struct {
	Versions []Version // the unknown versions, oldest first; they have no names
}

// Error names the unknown versions, and says which build to run.
func (e *NewerError) Error() string {
	return "the database is newer than this build: it has " + list(e.Versions) +
		", unknown here; run the build that brought it, or undo it with that build's `migrate down`"
}

// A MissingError means that a database has versions for which this program has no file, although it
// has files for newer versions. The files were removed, or come from another branch.
type MissingError struct {
	Versions []Version // oldest first; they have no names
}

// Error names the versions, and says how to get their files back.
func (e *MissingError) Error() string {
	return "the database has " + list(e.Versions) + ", for which this build has no file, though it has newer ones; " +
		"bring the file back, with what it held when it was applied"
}

// An OrderError means that files have not been applied, although a newer version has.
type OrderError struct {
	Versions []Version // the versions that are not applied, oldest first
	Newest   Version   // the newest applied version
}

// Error names the versions, and says that they need newer numbers.
func (e *OrderError) Error() string {
	return list(e.Versions) + " cannot be applied: the database has the newer " + e.Newest.String() +
		" already, which was made without it; give it a newer number"
}

// A ChangedError means that files were changed after they had been applied to the database.
type ChangedError struct {
	Versions []Version // oldest first
}

// Error names the files, and says where the change belongs.
func (e *ChangedError) Error() string {
	files := make([]string, len(e.Versions))
	for i, v := range e.Versions {
		files[i] = v.File()
	}
	return strings.Join(files, ", ") + " changed after it was applied to this database; " +
		"bring back what it held, and put the change into a new version"
}

// A DriftError means that the schema is not the one that the versions left: somebody has changed it
// by hand.
type DriftError struct {
	After Version  // the newest applied version
	Lines []string // the differences, each a sentence
}

// Error lists all differences.
func (e *DriftError) Error() string {
	return fmt.Sprintf("the schema is not as %s left it: %s", e.After, strings.Join(e.Lines, "; "))
}

// An UnfinishedError means that a version is being undone outside of a transaction, or that a
// process was interrupted while it did so. Only Down can finish this.
type UnfinishedError struct{ Version Version }

// Error names the version and the command that finishes it.
func (e *UnfinishedError) Error() string {
	return "to undo " + e.Version.String() + " was begun and has not ended; if no process does it any more, `migrate down` ends it"
}

// list returns the names of versions, separated by commas.
func list(versions []Version) string {
	names := make([]string, len(versions))
	for i, v := range versions {
		names[i] = v.String()
	}
	return strings.Join(names, ", ")
}

// Err returns the error that Check returns for this report, or nil.
func (r *Report) Err() error {
	if err := r.refused(!r.Suits()); err != nil {
		return err
	}
	if err := r.unfinished(); err != nil {
		return err
	}
	if pending := r.pending(); pending != nil {
		return &PendingError{pending}
	}
	return nil
}

// refusal returns a *Refusal if there is a reason not to change the database.
func (r *Report) refusal() error { return r.refused(true) }

// refused does the same as refusal, but is told whether newer versions are a reason.
func (r *Report) refused(byNewer bool) error {
	var all []error
	var newer, missing, changed, late []Version
	var newest Version // the newest applied version
	lastFile := r.newestFile()
	for _, s := range r.Versions {
		if s.applied() {
			newest = s.Version
		}
	}
	for _, s := range r.Versions {
		switch {
		case s.Version.Name == "" && s.Version.Number > lastFile:
			newer = append(newer, s.Version)
		case s.Version.Name == "":
			missing = append(missing, s.Version)
		case s.Checksum == ChecksumChanged:
			changed = append(changed, s.Version)
		case !s.applied() && s.Version.Number < newest.Number:
			late = append(late, s.Version)
		}
	}
	if newer != nil && byNewer {
		all = append(all, &NewerError{newer})
	}
	if missing != nil {
		all = append(all, &MissingError{missing})
	}
	if late != nil {
		all = append(all, &OrderError{late, newest})
	}
	if changed != nil {
		all = append(all, &ChangedError{changed})
	}
	if r.Drift.Lines != nil {
		all = append(all, &DriftError{newest, r.Drift.Lines})
	}
	if all == nil {
		return nil
	}
	return &Refusal{all}
}

// unfinished returns a *Refusal if a version is being undone, or if undoing it was interrupted.
func (r *Report) unfinished() error {
	for _, s := range r.Versions {
		if s.applied() && s.Begun {
			return &Refusal{[]error{&UnfinishedError{s.Version}}}
		}
	}
	return nil
}

// pending returns the versions that Up would apply, oldest first.
func (r *Report) pending() (versions []Version) {
	for _, s := range r.Versions {
		if !s.applied() {
			versions = append(versions, s.Version)
		}
	}
	return versions
}

// applied returns the versions that the database has, oldest first.
func (r *Report) applied() (versions []Version) {
	for _, s := range r.Versions {
		if s.applied() {
			versions = append(versions, s.Version)
		}
	}
	return versions
}

// A Checker makes the check of Source.Check for health checks, again and again. While a table is
// locked, the schema cannot be compared. The Checker then uses the result of the last comparison,
// if the database still has the same versions.
type Checker struct {
	source Source
	db     *sql.DB

	mu   sync.Mutex
	last *Report // the last report with a compared schema, or nil
}

// NewChecker returns a Checker for a database. It is safe for concurrent use.
func NewChecker(s Source, db *sql.DB) *Checker {
	return &Checker{source: s, db: db}
}

// Print returns a text that is another one whenever versions have been applied or undone. It is one
// short statement.
func (c *Checker) Print(ctx context.Context) (print string, err error) {
	query := "SELECT count(*) || ' ' || coalesce(max(id), 0) || ' ' || coalesce(sum(version_id), 0) FROM " + catalog.VersionTable + " WHERE is_applied"
	err = c.db.QueryRowContext(ctx, query).Scan(&print)
	return print, err
}

// Check returns the same errors as Source.Check.
func (c *Checker) Check(ctx context.Context) error {
	report, err := c.source.Status(ctx, c.db)
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case !report.locked:
		c.last = report
	case c.last != nil && reflect.DeepEqual(c.last.history, report.history):
		report.Drift = c.last.Drift
	}
	return report.Err()
}
