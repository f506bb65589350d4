package dev

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"

	atlas "ariga.io/atlas/sql/migrate"

	"forge/internal/migrator"
)

// A Verdict is the result of Verify for one file, or for a directory as a whole.
type Verdict struct {
	Path   string
	Good   string   // the result, if nothing is wrong
	Notes  []string // what was not tried, and losses that the file acknowledges
	Faults []string // everything that is wrong
}

// String returns the verdict as lines for people.
func (v Verdict) String() string {
	var b strings.Builder
	if v.Faults == nil {
		fmt.Fprintf(&b, "%s: ok, %s\n", v.Path, v.Good)
	}
	for _, fault := range v.Faults {
		fmt.Fprintf(&b, "%s: %s\n", v.Path, fault)
	}
	for _, note := range v.Notes {
		fmt.Fprintf(&b, "%s: note: %s\n", v.Path, note)
	}
	return b.String()
}

func (v *Verdict) fault(format string, args ...any) {
	v.Faults = append(v.Faults, fmt.Sprintf(format, args...))
}

func (v *Verdict) note(format string, args ...any) {
	v.Notes = append(v.Notes, fmt.Sprintf(format, args...))
}

// Verify tries the files in dir/postgres and dir/sqlite on empty databases: each file up, down and
// up again, with rows in all tables. After each way it compares the whole schema and all rows. At
// the end it compares the schema with the one that is wanted. The verdicts contain everything that
// is wrong with the files. Verify returns an error if something could not be tried.
//
// Verify needs a PostgreSQL server in the same way as Diff.
func Verify(ctx context.Context, dir, devURL string, want Schema) (all []Verdict, err error) {
	boxes, err := newSandboxes(ctx, "verify", devURL)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, boxes.close()) }()
	if all, err = verifyNames(dir); err != nil {
		return nil, err
	}
	for i, d := range dialects {
		path := filepath.Join(dir, d.dir)
		found, whole, err := verifyFiles(ctx, boxes[i], dir, d.name)
		if err == nil && whole {
			var last Verdict
			last, err = verifySchema(ctx, boxes[i], dir, d.name, want)
			found = append(found, last)
		}
		if err != nil {
			return nil, fmt.Errorf("migrate: verify %s: %w", path, err)
		}
		all = append(all, found...)
	}
	return all, nil
}

// verifyNames compares the files with their checksums, and the files of both kinds of database with
// each other. It returns verdicts only if something is wrong.
func verifyNames(dir string) (all []Verdict, err error) {
	var names [][]string
	for _, d := range dialects {
		path := filepath.Join(dir, d.dir)
		files, err := filesIn(path)
		if err != nil {
			return nil, fmt.Errorf("migrate: %w", err)
		}
		var found []string
		for _, f := range files {
			found = append(found, filepath.Base(f.path))
		}
		names = append(names, found)
		if _, err := validate(path); err != nil {
			all = append(all, Verdict{Path: path, Faults: []string{err.Error()}})
		}
	}
	if err := paired(names); err != nil {
		all = append(all, Verdict{Path: dir, Faults: []string{err.Error()}})
	}
	return all, nil
}

// verifySchema compares the schema that is wanted with the one that the files lead to.
func verifySchema(ctx context.Context, box sandbox, dir, name string, want Schema) (v Verdict, err error) {
	v = Verdict{Path: filepath.Join(dir, dirOf(name)), Good: "all files together give what ent/schema says"}
	b, err := newPlanner(ctx, box, dir, name, want)
	if err != nil {
		return v, err
	}
	defer func() { err = errors.Join(err, b.close()) }()
	all, err := b.changes(b.now, b.wanted)
	if err != nil {
		return v, err
	}
	lacking, err := b.lacking(ctx)
	if err != nil || len(all)+len(lacking) == 0 {
		return v, err
	}
	missing, err := b.steps(ctx, all, nil)
	if err != nil {
		return v, err
	}
	text := "the files do not give what ent/schema says; run `migrate diff NAME`, or edit the newest file. What is missing:"
	for _, s := range missing {
		text += "\n    " + s.Cmd
	}
	for _, line := range lacking {
		text += "\n    " + line
	}
	v.fault("%s", text)
	return v, nil
}

// A verifier holds the database on which the files are tried, one after the other.
type verifier struct {
	source migrator.Source
	files  fs.FS // the files of the source
	box    sandbox
	db     *sql.DB
	driver atlas.Driver
	remove func() error
	noted  map[string]bool // the tables for which a note already says that they have no rows
}

// verifyFiles tries each file. If one cannot be applied, it does not try the files after it, and
// whole is false.
func verifyFiles(ctx context.Context, box sandbox, dir, name string) (all []Verdict, whole bool, err error) {
	path := filepath.Join(dir, dirOf(name))
	files, err := filesIn(path)
	if err != nil {
		return nil, false, err
	}
	v := &verifier{source: source(dir, name), files: os.DirFS(path), box: box,
		remove: func() error { return nil }, noted: make(map[string]bool)}
	defer func() { err = errors.Join(err, v.remove()) }()
	if err := v.restart(ctx, 0); err != nil {
		return nil, false, err
	}
	before := int64(0)
	for _, f := range files {
		t, err := v.trial(f, before)
		if err != nil {
			return nil, false, err
		}
		applicable, err := t.run(ctx)
		if err != nil {
			return nil, false, fmt.Errorf("%s: %w", f.path, err)
		}
		all = append(all, t.verdict)
		if !applicable {
			return all, false, nil
		}
		before = t.version.Number
	}
	return all, true, nil
}

// restart replaces the database with a new one that has the versions up to a number, and no rows.
func (v *verifier) restart(ctx context.Context, number int64) error {
	if err := v.remove(); err != nil {
		return err
	}
	var err error
	if v.db, v.driver, v.remove, err = openEmpty(ctx, v.box, v.source.Dialect()); err != nil {
		v.remove = func() error { return nil }
		return err
	}
	return v.up(ctx, number)
}

// up applies the versions up to and including the one with a number.
func (v *verifier) up(ctx context.Context, number int64) error {
	return v.source.UpTo(ctx, v.db, number, migrator.LockTimeout, slog.New(slog.DiscardHandler))
}

// A trial tries one file.
type trial struct {
	*verifier
	version    migrator.Version
	script     migrator.Script
	previous   int64        // the version before the file's
	allowances []*allowance // the comments that allow findings of lint
	own        []*allowance // the comments that allow what only verify sees
	bad        []string     // errors in own
	verdict    Verdict
}

func (v *verifier) trial(f file, previous int64) (*trial, error) {
	version, err := v.source.Find(filepath.Base(f.path))
	if err != nil {
		return nil, err
	}
	script, err := migrator.ReadScript(v.files, version)
	if err != nil {
		return nil, err
	}
	return &trial{verifier: v, version: version, script: script, previous: previous, verdict: Verdict{Path: f.path}}, nil
}

// run applies the file, undoes it and applies it again. It returns false if the files after this
// one cannot be tried, because the file could not be applied.
func (t *trial) run(ctx context.Context) (applicable bool, err error) {
	before, applicable, err := t.firstUp(ctx)
	if err != nil || !applicable {
		return applicable, err
	}
	after, err := t.state(ctx)
	if err != nil {
		return true, err
	}
	if err := t.source.DownUnchecked(ctx, t.db, 1, slog.New(slog.DiscardHandler)); err != nil {
		t.verdict.fault("down fails: %v", err)
		return t.goOn(ctx), nil
	}
	back, err := t.state(ctx)
	if err != nil {
		return true, err
	}
	t.compareSchema("down does not restore the schema", before, back)
	t.compareRows(before, after, back)
	if t.verdict.Faults == nil {
		err = t.secondUp(ctx, before, after)
	}
	good := t.verdict.Faults == nil
	t.judgeAllowances(good, before)
	if err != nil || good {
		return true, err
	}
	return t.goOn(ctx), nil
}

// goOn replaces the database for the files after this one. It returns false if the file cannot be
// applied even to the new database, which has no rows.
func (t *trial) goOn(ctx context.Context) bool {
	err := t.restart(ctx, t.version.Number)
	if err != nil {
		t.verdict.fault("up fails without rows, and the files after this one were not tried: %v", err)
	}
	return err == nil
}

// firstUp adds rows and applies the file. If that fails, it tries again with rows that have no
// NULL, and then without rows.
func (t *trial) firstUp(ctx context.Context) (before state, applicable bool, err error) {
	var failed error
	for _, rows := range []fill{{full: 2, sparse: 1}, {full: 2}, {}} {
		notes, err := t.fill(ctx, rows)
		if err != nil {
			return before, false, err
		}
		if before, err = t.state(ctx); err != nil {
			return before, false, err
		}
		if err = t.readAllowances(before); err != nil {
			return before, false, err
		}
		err = t.up(ctx, t.version.Number)
		if err == nil {
			t.verdict.Notes = append(t.verdict.Notes, notes...)
			t.verdict.Good = "up, down and up with " + migrator.InRows(int64(before.rows()))
			t.judgeFailure(failed)
			return before, true, nil
		}
		failed = cmp.Or(failed, err)
		if before.rows() == 0 {
			break
		}
		if err := t.restart(ctx, t.previous); err != nil {
			return before, false, err
		}
	}
	t.verdict.fault("up fails, and the files after this one were not tried: %v", failed)
	return before, false, nil
}

// judgeFailure reports that the file failed on some rows. This is a note if the file acknowledges
// it, and a fault otherwise.
func (t *trial) judgeFailure(failed error) {
	switch {
	case failed == nil:
	case slices.ContainsFunc(t.allowances, func(a *allowance) bool { return slices.Contains(dependOnRows, a.rule) }):
		t.verdict.note("up fails on some rows, as the file acknowledges, so it was tried without them: %v", failed)
	default:
		t.verdict.fault("up fails on rows that the schema before it allows: %v; correct the rows first, or acknowledge it with -- lint:allow and one of %s",
			failed, strings.Join(dependOnRows, ", "))
	}
}

func (t *trial) secondUp(ctx context.Context, before, after state) error {
	if err := t.up(ctx, t.version.Number); err != nil {
		t.verdict.fault("up fails after down: %v", err)
		return nil
	}
	again, err := t.state(ctx)
	if err != nil {
		return err
	}
	t.compareSchema("up after down gives another schema", after, again)
	t.compareCarried(before, after, again)
	return nil
}

// compareSchema adds a fault if lines of the description are missing or unexpected.
func (t *trial) compareSchema(what string, was, is state) {
	text := ""
	for _, line := range was.lines {
		if !slices.Contains(is.lines, line) {
			text += "\n    missing: " + line
		}
	}
	for _, line := range is.lines {
		if !slices.Contains(was.lines, line) {
			text += "\n    unexpected: " + line
		}
	}
	if text != "" {
		t.verdict.fault("%s:%s", what, text)
	}
}

// dependOnRows are the rules of lint about changes that may fail because of rows.
var dependOnRows = []string{"add-check", "add-foreign-key", "add-not-null-column", "add-unique-index", "change-check",
	"change-primary-key", "change-type", "set-not-null"}
