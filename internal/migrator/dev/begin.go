package dev

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"

	atlas "ariga.io/atlas/sql/migrate"

	"forge/internal/migrator"
	"forge/internal/migrator/catalog"
)

// Begun is the result of Begin.
type Begun struct {
	Version int64    // the first of the new history
	Paths   []string // the files that were written
	Removed []string // the files that were removed
}

// A LossError lists what only the old history has, and a new one would not have.
type LossError struct{ Lost []string }

// Error names the losses on one line.
func (e *LossError) Error() string {
	return "a new history would lose what ent/schema does not say: " + strings.Join(e.Lost, "; ")
}

// Begin starts a new history: it replaces all versions in dir by one, called init, that creates the
// schema from nothing. If the old files create what the schema does not say, such as a function, a
// trigger or rows, or if they cannot be run, Begin returns an error, unless lose is true. If it
// returns an error, the files are as they were.
//
// It needs a PostgreSQL server in the same way as Diff.
func Begin(ctx context.Context, dir, devURL string, want Schema, lose bool) (begun Begun, err error) {
	old, err := allFiles(dir)
	if err != nil {
		return Begun{}, err
	}
	boxes, err := newSandboxes(ctx, "begin", devURL)
	if err != nil {
		return Begun{}, err
	}
	defer func() { err = errors.Join(err, boxes.close()) }()
	fresh, err := firstVersion(ctx, boxes, dir, want)
	if err != nil {
		return Begun{}, err
	}
	if !lose {
		if err := losses(ctx, boxes, dir, want); err != nil {
			return Begun{}, err
		}
	}
	return replace(old, fresh)
}

// allFiles returns the migration files of all kinds of database.
func allFiles(dir string) (all []file, err error) {
	for _, d := range dialects {
		files, err := filesIn(filepath.Join(dir, d.dir))
		if err != nil {
			return nil, fmt.Errorf("migrate: %w", err)
		}
		all = append(all, files...)
	}
	return all, nil
}

// firstVersion plans the version that creates the schema from nothing. It is newer than all
// versions in dir. A checksum file follows each of the two files.
func firstVersion(ctx context.Context, boxes sandboxes, dir string, want Schema) (files []file, err error) {
	empty, err := os.MkdirTemp("", "forge-begin-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(empty)) }()
	version := migrator.Version{Name: "init", Number: following(0)}
	for _, d := range dialects {
		if err := os.Mkdir(filepath.Join(empty, d.dir), 0o755); err != nil {
			return nil, err
		}
		versions, err := migrator.Versions(os.DirFS(filepath.Join(dir, d.dir)))
		if err != nil {
			return nil, fmt.Errorf("migrate: %w", err)
		}
		if len(versions) > 0 {
			version.Number = max(version.Number, following(versions[len(versions)-1].Number))
		}
	}
	plans, err := boxes.plans(ctx, empty, want, Answers{})
	if err != nil {
		return nil, err
	}
	for i, d := range dialects {
		path := filepath.Join(dir, d.dir)
		step := file{filepath.Join(path, version.File()), plans[i].text()}
		sum, err := checksums(path, []file{step})
		if err != nil {
			return nil, fmt.Errorf("migrate: %w", err)
		}
		files = append(files, step, sum)
	}
	return files, nil
}

// losses returns a *LossError if the files in dir create what the schema does not say.
func losses(ctx context.Context, boxes sandboxes, dir string, want Schema) error {
	var lost []string
	for i, d := range dialects {
		err := inSandbox(ctx, boxes[i], d.name, func(db *sql.DB, _ atlas.Driver) error {
			if err := foreignKeysOff(ctx, db, d.name); err != nil {
				return err
			}
			if err := source(dir, d.name).Up(ctx, db, slog.New(slog.DiscardHandler)); err != nil {
				return fmt.Errorf("migrate: replay the existing files, to see what a new history would lose: %w", err)
			}
			found, err := byHand(ctx, db, d.name, want)
			for _, text := range found {
				lost = append(lost, d.dir+" has "+text)
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	if lost != nil {
		return &LossError{lost}
	}
	return nil
}

// byHand returns what a database has that Diff would not create: triggers of tables that are to
// stay, views, sequences, types and functions, and rows.
func byHand(ctx context.Context, db *sql.DB, name string, want Schema) (found []string, err error) {
	lines, err := catalog.DescribeAll(ctx, db, name)
	if err != nil {
		return nil, err
	}
	stays := map[string]bool{}
	for _, t := range want.Tables {
		stays[t.Name] = true
	}
	for _, text := range lines {
		switch line := catalog.ParseLine(text); line.Kind {
		case "table":
			var rows int
			if !stays[line.Table] || db.QueryRowContext(ctx, "SELECT count(*) FROM "+catalog.Quote(line.Table)).Scan(&rows) != nil || rows == 0 {
				continue
			}
			found = append(found, fmt.Sprintf("%d rows in the table %s", rows, line.Table))
		case "column", "primary-key", "unique", "check", "foreign-key", "exclude", "index":
		default:
			if catalog.ObjectIn(text) == "" && (line.Kind != "trigger" || stays[line.Table]) {
				found = append(found, "the "+catalog.Subject(text))
			}
		}
	}
	return found, nil
}

// replace writes the fresh files, and removes the old ones.
func replace(old, fresh []file) (begun Begun, err error) {
	var before []file // the checksums
	for _, f := range fresh {
		begun.Paths = append(begun.Paths, f.path)
		if text, err := os.ReadFile(f.path); err == nil {
			before = append(before, file{f.path, text})
		}
	}
	if err := writeAll(fresh); err != nil {
		return Begun{}, fmt.Errorf("migrate: %w", err)
	}
	for i, f := range old {
		if slices.Contains(begun.Paths, f.path) {
			continue
		}
		if err := os.Remove(f.path); err != nil {
			return Begun{}, errors.Join(fmt.Errorf("migrate: %w", err), undo(fresh), writeAll(old[:i]), writeAll(before))
		}
		begun.Removed = append(begun.Removed, f.path)
	}
	versions, err := migrator.Versions(os.DirFS(filepath.Dir(begun.Paths[0])))
	if err == nil {
		begun.Version = versions[len(versions)-1].Number
	}
	return begun, err
}

// undo removes files.
func undo(files []file) (err error) {
	for _, f := range files {
		err = errors.Join(err, os.Remove(f.path))
	}
	return err
}
