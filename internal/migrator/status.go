package migrator

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"reflect"
	"slices"
	"text/tabwriter"
	"time"

	"entgo.io/ent/dialect"

	"forge/internal/migrator/catalog"
)

// A Report compares the versions and the schema of a database with the migration files.
type Report struct {
	Versions []State // all versions of this program and of the database, oldest first
	Drift    Drift

	history history
	locked  bool // the schema was not compared, because a table was locked
}

// A State is the state of one version in a database.
type State struct {
	Version   Version
	AppliedAt time.Time // by the database's clock; zero if the version is pending
	Checksum  string    // one of the constants below; "" if the version is pending
	Begun     bool      // whether a step outside of a transaction runs, or was interrupted

	serves *int64 // see application
}

// These are the values of State.Checksum.
const (
	// ChecksumOK, ChecksumChanged and ChecksumNotKnown say whether the file of a version is still
	// the one that was applied. This is not known if an older build applied the file, or if this
	// program has no such file.
	ChecksumOK       = "ok"
	ChecksumChanged  = "changed"
	ChecksumNotKnown = "not known"
)

func (s State) applied() bool { return !s.AppliedAt.IsZero() }

// Drift is the difference between the schema of a database and the schema that its newest version
// left.
type Drift struct {
	Lines       []string // the differences, each as a sentence; nil if there are none
	NotCompared string   // why the schema was not compared, or ""
}

// Status compares a database with the files. It writes nothing.
func (s Source) Status(ctx context.Context, db *sql.DB) (*Report, error) {
	files, err := s.files()
	if err != nil {
		return nil, err
	}
	conn, err := connect(ctx, db)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	return reportWithoutWaiting(ctx, conn, s.dialect, files)
}

// reportWithoutWaiting does the same as reportOn, but does not wait for locks. PostgreSQL does not
// show the conditions, defaults and indexes of a table while it is locked as a whole. If somebody
// changes a table just then, the report says that the schema was not compared. A working server
// must not become unready because of that.
func reportWithoutWaiting(ctx context.Context, conn *sql.Conn, name string, files fs.FS) (*Report, error) {
	if name != dialect.Postgres {
		return reportOn(ctx, conn, name, files)
	}
	// The isolation level is set here, because the connection may have another default. reportOn
	// reads the history twice to notice a step that ends between its queries, and must see the
	// change.
	if _, err := conn.ExecContext(ctx, "BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY; SET LOCAL lock_timeout = 100"); err != nil {
		return nil, err
	}
	defer conn.ExecContext(context.WithoutCancel(ctx), "ROLLBACK")
	report, err := reportOn(ctx, conn, name, files)
	if report != nil && isLockConflict(err) {
		report.Drift, report.locked, err = Drift{NotCompared: "a table is locked by others; ask again later"}, true, nil
	}
	return report, err
}

// reportOn compares a database with files. If only the schema could not be compared, it returns a
// report and an error.
func reportOn(ctx context.Context, db catalog.Querier, dialect string, files fs.FS) (*Report, error) {
	h, err := historyOf(ctx, db, dialect)
	for err == nil {
		var report *Report
		if report, err = reportFor(ctx, db, dialect, files, h); err != nil || report.Drift.Lines == nil {
			return report, err
		}
		// If a step has ended between the queries, the schema seems to have drifted. But then the
		// history has changed too.
		var now history
		if now, err = historyOf(ctx, db, dialect); err == nil && reflect.DeepEqual(h, now) {
			return report, nil
		}
		h = now
	}
	return nil, err
}

// reportFor compares a database with files. h is the history of the database, which was just read.
func reportFor(ctx context.Context, db catalog.Querier, dialect string, files fs.FS, h history) (*Report, error) {
	versions, err := Versions(files)
	if err != nil {
		return nil, err
	}
	r := &Report{history: h}
	left := make(map[int64]application, len(h.applied))
	for _, a := range h.applied {
		left[a.number] = a
	}
	for _, v := range versions {
		state := State{Version: v}
		_, state.Begun = h.begun[v.Number]
		if a, ok := left[v.Number]; ok {
			state.AppliedAt = a.at
			if state.Checksum, err = compareChecksum(files, v, a.checksum); err != nil {
				return nil, err
			}
		}
		r.Versions = append(r.Versions, state)
		delete(left, v.Number)
	}
	for number, a := range left {
		r.Versions = append(r.Versions, State{Version: Version{Number: number}, AppliedAt: a.at, Checksum: ChecksumNotKnown, serves: a.serves})
	}
	slices.SortFunc(r.Versions, func(a, b State) int { return cmp.Compare(a.Version.Number, b.Version.Number) })
	r.Drift, err = drift(ctx, db, dialect, h)
	return r, err
}

// compareChecksum compares the file of a version with the checksum that the database has recorded.
func compareChecksum(files fs.FS, v Version, recorded string) (string, error) {
	if recorded == "" {
		return ChecksumNotKnown, nil
	}
	text, err := fs.ReadFile(files, v.File())
	if err != nil {
		return "", err
	}
	if checksum(text) != recorded {
		return ChecksumChanged, nil
	}
	return ChecksumOK, nil
}

// Write prints the report for people.
func (r *Report) Write(w io.Writer) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, s := range r.Versions {
		state := "pending"
		if s.applied() {
			state = "applied " + s.AppliedAt.UTC().Format(time.DateTime) + "\tchecksum " + s.Checksum
		}
		if s.Begun {
			state += ", begun and not ended"
		}
		if s.Version.Name == "" {
			state += ", unknown to this build"
		}
		if _, err := fmt.Fprintf(table, "%s\t%s\n", s.Version, state); err != nil {
			return err
		}
	}
	if err := table.Flush(); err != nil {
		return err
	}
	switch {
	case r.Drift.NotCompared != "":
		fmt.Fprintf(w, "drift: not compared: %s\n", r.Drift.NotCompared)
	case r.Drift.Lines == nil:
		fmt.Fprintln(w, "drift: none")
	}
	for _, line := range r.Drift.Lines {
		fmt.Fprintf(w, "drift: %s\n", line)
	}
	if refusal := r.refusal(); refusal != nil {
		fmt.Fprintf(w, "up and down are refused: %s\n", refusal)
	}
	return nil
}

// A reportJSON is the JSON form of a report. Scripts depend on it: members may be added, but must
// not be removed or change their meaning.
type reportJSON struct {
	// State is "ok", "pending" if up would bring the database up to date, or "refused" if up and
	// down would change nothing.
	State    string      `json:"state"`
	Reason   string      `json:"reason"`   // why the state is not "ok", or ""
	Versions []stateJSON `json:"versions"` // of this program and of the database, oldest first
	Drift    driftJSON   `json:"drift"`
}

type stateJSON struct {
	Version   int64      `json:"version"`
	Name      string     `json:"name"`      // "" if this program has no file for the version
	State     string     `json:"state"`     // "applied", "pending"
	AppliedAt *time.Time `json:"appliedAt"` // in UTC; null if pending
	Checksum  *string    `json:"checksum"`  // "ok", "changed" or "not known"; null if pending
	Begun     bool       `json:"begun"`     // see State.Begun
}

type driftJSON struct {
	Compared bool     `json:"compared"`
	Reason   string   `json:"reason"` // why the schema was not compared, or ""
	Lines    []string `json:"lines"`  // the differences
}

// WriteJSON prints the report as JSON, for scripts.
func (r *Report) WriteJSON(w io.Writer) error {
	out := reportJSON{State: "ok", Versions: []stateJSON{}, Drift: driftJSON{
		Compared: r.Drift.NotCompared == "", Reason: r.Drift.NotCompared, Lines: append([]string{}, r.Drift.Lines...)}}
	if err := r.Err(); err != nil {
		out.State, out.Reason = "pending", err.Error()
	}
	if r.refusal() != nil {
		out.State = "refused"
	}
	for _, s := range r.Versions {
		state := stateJSON{Version: s.Version.Number, Name: s.Version.Name, State: "pending", Begun: s.Begun}
		if s.applied() {
			at := s.AppliedAt.UTC()
			state.State, state.AppliedAt, state.Checksum = "applied", &at, &s.Checksum
		}
		out.Versions = append(out.Versions, state)
	}
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	return encoder.Encode(out)
}
