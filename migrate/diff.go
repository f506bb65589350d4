package migrate

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	atlas "ariga.io/atlas/sql/migrate"
	"ariga.io/atlas/sql/sqltool"
	"entgo.io/ent/dialect/sql/schema"

	entmigrate "forge/ent/migrate"
)

// Diff compares what the files in dir make of an empty database with the ent
// schema, and writes the difference as a new version called name: a file for
// each dialect in dir/postgres and dir/sqlite, and their checksums. It returns
// the paths it wrote; none when there is no difference. On an error nothing
// has been written.
//
// It needs a PostgreSQL: the one at devURL, in which it makes schemas and
// removes them, or a temporary one when devURL is empty.
func Diff(ctx context.Context, dir, name, devURL string) (written []string, err error) {
	return diff(ctx, dir, name, devURL, entmigrate.Tables)
}

var stepName = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)

func diff(ctx context.Context, dir, name, devURL string, tables []*schema.Table) ([]string, error) {
	if !stepName.MatchString(name) {
		return nil, fmt.Errorf("migrate: %q is not a name for a migration: it begins with a small letter "+
			"and goes on with small letters, digits and _, like add_reviews", name)
	}
	version := Version{Name: name}
	var plans []plan
	changed := false
	for _, d := range dialects {
		path := filepath.Join(dir, d.dir)
		last, err := validate(path)
		if err != nil {
			return nil, fmt.Errorf("migrate: %w", err)
		}
		version.Number = max(version.Number, following(last))
		p, err := planIn(ctx, path, d.name, devURL, tables)
		if err != nil {
			return nil, fmt.Errorf("migrate: plan for %s: %w", d.dir, err)
		}
		plans = append(plans, p)
		changed = changed || !p.empty()
	}
	if !changed {
		return nil, nil
	}

	// A dialect without a change gets a file too, so that both have the same versions.
	var files []file
	for i, d := range dialects {
		path := filepath.Join(dir, d.dir)
		step := file{filepath.Join(path, version.file()), plans[i].text()}
		sum, err := checksumWith(path, step)
		if err != nil {
			return nil, fmt.Errorf("migrate: %w", err)
		}
		files = append(files, step, sum)
	}
	if err := writeAll(files); err != nil {
		return nil, fmt.Errorf("migrate: %w", err)
	}
	var written []string
	for _, f := range files {
		written = append(written, f.path)
	}
	return written, nil
}

// planIn plans for the dialect whose files are in path.
func planIn(ctx context.Context, path, name, devURL string, tables []*schema.Table) (p plan, err error) {
	box, err := newSandbox(ctx, name, devURL)
	if err != nil {
		return plan{}, err
	}
	defer func() { err = errors.Join(err, box.close()) }()
	return makePlan(ctx, box, name, os.DirFS(path), tables)
}

// validate compares the files in path with their checksums and returns the
// newest version, 0 when there is none.
func validate(path string) (last int64, err error) {
	files, err := sqltool.NewGooseDir(path)
	if err != nil {
		return 0, err
	}
	if err := atlas.Validate(files); err != nil {
		return 0, fmt.Errorf("%s: the files are not those that %s was written for, so one was changed, "+
			"added or removed by hand: %w", path, atlas.HashFileName, err)
	}
	versions, err := versionsIn(os.DirFS(path))
	if err != nil || len(versions) == 0 {
		return 0, err
	}
	return versions[len(versions)-1].Number, nil
}

// following returns the number for a version made now: the time, or a second
// after the last one if that is not older, since a clock may be behind and two
// versions may be made within a second.
func following(last int64) int64 {
	const layout = "20060102150405"
	now := time.Now().UTC()
	if newest, err := time.Parse(layout, fmt.Sprint(last)); err == nil && !now.Truncate(time.Second).After(newest) {
		now = newest.Add(time.Second)
	}
	number, _ := strconv.ParseInt(now.Format(layout), 10, 64) // the layout is all digits
	return number
}

// text is the plan as a migration file.
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
			fmt.Fprintf(&b, "%s;\n", s.Cmd)
		}
	}
	b.WriteString("-- +goose Up\n")
	write(p.up)
	b.WriteString("\n-- +goose Down\n")
	write(p.down)
	return []byte(b.String())
}

type file struct {
	path string
	text []byte
}

// checksumWith returns the checksum file of the directory path as it will be
// once added is in it.
func checksumWith(path string, added file) (file, error) {
	dir, err := sqltool.NewGooseDir(path)
	if err != nil {
		return file{}, err
	}
	files, err := dir.Files()
	if err != nil {
		return file{}, err
	}
	files = append(files, atlas.NewLocalFile(filepath.Base(added.path), added.text))
	sum, err := atlas.NewHashFile(files)
	if err != nil {
		return file{}, err
	}
	text, err := sum.MarshalText()
	if err != nil {
		return file{}, err
	}
	return file{filepath.Join(path, atlas.HashFileName), text}, nil
}

// writeAll writes all files or, if one fails, leaves everything as it was.
func writeAll(files []file) error {
	if len(files) == 0 {
		return nil
	}
	f := files[0]
	undo := func() error { return os.Remove(f.path) }
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
