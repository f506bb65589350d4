package dev

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	atlas "ariga.io/atlas/sql/migrate"
	"ariga.io/atlas/sql/sqltool"

	"forge/internal/migrator"
	"forge/internal/usage"
)

// Planned is the result of Diff. It is empty if nothing has changed.
type Planned struct {
	Paths  []string  // the files that were written, with the checksum files
	ByHand []string  // what the author still must write into the down sections
	Hints  []Finding // the findings of Lint in the new files
}

// Diff compares a schema with the one that the files in dir lead to. It writes the
// difference as a new version called name: a file in dir/postgres, a file in dir/sqlite, and their
// checksums. answers say which tables and columns were renamed or dropped. If Diff returns an
// error, it has written nothing.
//
// It needs a PostgreSQL server. If devURL is empty, it starts a temporary one. Otherwise it creates
// schemas in the database at devURL, and removes them at the end.
func Diff(ctx context.Context, dir, name, devURL string, want Schema, answers Answers) (planned Planned, err error) {
	version, err := nextVersion(dir, name)
	if err != nil {
		return Planned{}, err
	}
	boxes, err := newSandboxes(ctx, "diff", devURL)
	if err != nil {
		return Planned{}, err
	}
	defer func() { err = errors.Join(err, boxes.close()) }()

	plans, err := boxes.plans(ctx, dir, want, answers)
	if err != nil || !slices.ContainsFunc(plans, func(p plan) bool { return !p.empty() }) {
		return Planned{}, err
	}
	// A kind of database without a change gets a file as well, so that both have the same versions.
	var files []file
	for i, d := range dialects {
		step := file{filepath.Join(dir, d.dir, version.File()), plans[i].text()}
		all, sum, err := withSum(step)
		if err != nil {
			return Planned{}, fmt.Errorf("migrate: %w", err)
		}
		hints, err := lintFiles(ctx, boxes[i], d.name, all, version.Number-1)
		if err != nil {
			return Planned{}, fmt.Errorf("migrate: %w", err)
		}
		files = append(files, step, sum)
		planned.Hints = append(planned.Hints, hints...)
		for _, lack := range plans[i].byHand {
			planned.ByHand = append(planned.ByHand, step.path+": "+lack)
		}
	}
	if err := writeAll(files); err != nil {
		return Planned{}, fmt.Errorf("migrate: %w", err)
	}
	for _, f := range files {
		planned.Paths = append(planned.Paths, f.path)
	}
	return planned, nil
}

// stepName matches the name of a migration.
var stepName = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)

// nextVersion returns the version to write. It returns an error if name is not a valid name, or if
// the files do not match their checksums.
func nextVersion(dir, name string) (migrator.Version, error) {
	version := migrator.Version{Name: name}
	if !stepName.MatchString(name) {
		return version, usage.Errorf("%q is not a name for a migration: it begins with a small letter "+
			"and goes on with small letters, digits and _, like add_reviews", name)
	}
	for _, d := range dialects {
		last, err := validate(filepath.Join(dir, d.dir))
		if err != nil {
			return version, fmt.Errorf("migrate: %w", err)
		}
		version.Number = max(version.Number, following(last))
	}
	return version, nil
}

// withSum returns the migration files of the directory of step, including step, and their checksum
// file.
func withSum(step file) (all []file, sum file, err error) {
	path := filepath.Dir(step.path)
	if all, err = filesIn(path); err != nil {
		return nil, file{}, err
	}
	all = append(all, step)
	sum, err = checksums(path, all)
	return all, sum, err
}

// plans returns a plan for each kind of database.
func (boxes sandboxes) plans(ctx context.Context, dir string, want Schema, answers Answers) (plans []plan, err error) {
	var planners []*planner
	defer func() {
		for _, b := range planners {
			err = errors.Join(err, b.close())
		}
	}()
	for i, d := range dialects {
		b, err := newPlanner(ctx, boxes[i], dir, d.name, want)
		if err != nil {
			return nil, fmt.Errorf("migrate: plan for %s: %w", d.dir, err)
		}
		planners = append(planners, b)
	}
	if err := resolveRenames(ctx, planners, answers); err != nil {
		return nil, fmt.Errorf("migrate: %w", err)
	}
	for i, b := range planners {
		p, err := b.plan(ctx)
		if err != nil {
			return nil, fmt.Errorf("migrate: plan for %s: %w", dialects[i].dir, err)
		}
		plans = append(plans, p)
	}
	return plans, nil
}

// validate returns an error if the files in path do not match their checksums. Otherwise it returns
// the number of the newest version, or 0 if there is none.
func validate(path string) (last int64, err error) {
	files, err := sqltool.NewGooseDir(path)
	if err != nil {
		return 0, elsewhere(err)
	}
	if err := atlas.Validate(files); err != nil {
		return 0, mismatch(path, err)
	}
	versions, err := migrator.Versions(os.DirFS(path))
	if err != nil || len(versions) == 0 {
		return 0, err
	}
	return versions[len(versions)-1].Number, nil
}

// following returns the number of a new version: the present time, or one second after the last
// version if that is later. A clock may be behind, and two versions may be made within a second.
func following(last int64) int64 {
	const layout = "20060102150405"
	now := time.Now().UTC()
	if newest, err := time.Parse(layout, fmt.Sprint(last)); err == nil && !now.Truncate(time.Second).After(newest) {
		now = newest.Add(time.Second)
	}
	number, _ := strconv.ParseInt(now.Format(layout), 10, 64) // the layout consists of digits
	return number
}

// text returns the text of the migration file.
func (p plan) text() []byte {
	var b strings.Builder
	write := func(steps []*atlas.Change) {
		if len(steps) == 0 {
			b.WriteString("-- Nothing to do for this database.\n")
		}
		for _, s := range steps {
			if s.Comment != "" {
				fmt.Fprintf(&b, "-- %s\n", s.Comment)
			}
			text := s.Cmd + ";\n"
			if strings.Contains(s.Cmd, ";\n") {
				text = "-- +goose StatementBegin\n" + text + "-- +goose StatementEnd\n"
			}
			b.WriteString(text)
		}
	}
	b.WriteString("-- +goose Up\n")
	write(p.up)
	b.WriteString("\n-- +goose Down\n")
	for _, lack := range p.byHand {
		fmt.Fprintf(&b, "-- By hand: %s.\n", lack)
	}
	write(p.down)
	return []byte(b.String())
}

// writeAll writes files. If it cannot write one, it restores those that it has already written.
func writeAll(files []file) error {
	if len(files) == 0 {
		return nil
	}
	f := files[0]
	undo := func() error {
		if err := os.Remove(f.path); !errors.Is(err, os.ErrNotExist) {
			return err
		}
		return nil // it was not created
	}
	switch before, err := os.ReadFile(f.path); {
	case err == nil:
		undo = func() error { return os.WriteFile(f.path, before, 0o644) }
	case !errors.Is(err, os.ErrNotExist):
		return err
	}
	err := os.WriteFile(f.path, f.text, 0o644)
	if err == nil {
		err = writeAll(files[1:])
	}
	if err != nil {
		return errors.Join(err, undo())
	}
	return nil
}
