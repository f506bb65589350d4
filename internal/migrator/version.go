package migrator

import (
	"cmp"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strconv"
)

// A Version is one migration. It has a file for each kind of database, with the same number and
// name.
type Version struct {
	Number int64  // the time of planning, as YYYYMMDDHHMMSS; files run in this order
	Name   string // "" if this program has no file with the number
}

// String returns the name of the version's file without its ending.
func (v Version) String() string {
	if v.Name == "" {
		return strconv.FormatInt(v.Number, 10)
	}
	return fmt.Sprintf("%d_%s", v.Number, v.Name)
}

// File returns the name of the version's file.
func (v Version) File() string { return v.String() + ".sql" }

var fileName = regexp.MustCompile(`^(\d{14})_([a-z][a-z0-9_]*)\.sql$`)

// Versions returns the versions of the files in fsys, oldest first. It returns an error if the name
// of a .sql file does not have the right form.
func Versions(fsys fs.FS) ([]Version, error) {
	files, err := fs.Glob(fsys, "*.sql")
	if err != nil {
		return nil, err
	}
	var versions []Version
	for _, file := range files {
		parts := fileName.FindStringSubmatch(file)
		if parts == nil {
			return nil, fmt.Errorf("migrate: the file name %q is not of the form YYYYMMDDHHMMSS_name.sql", file)
		}
		number, err := strconv.ParseInt(parts[1], 10, 64)
		if err != nil {
			return nil, fmt.Errorf("migrate: file name %q: %w", file, err)
		}
		versions = append(versions, Version{number, parts[2]})
	}
	slices.SortFunc(versions, func(a, b Version) int { return cmp.Compare(a.Number, b.Number) })
	return versions, nil
}

// Find returns the version that text names: by its number, or by the name of its file with or
// without the ending. If there is no such version, the error lists all versions.
func (s Source) Find(text string) (Version, error) {
	files, err := s.files()
	if err != nil {
		return Version{}, err
	}
	versions, err := Versions(files)
	if err != nil {
		return Version{}, err
	}
	for _, v := range versions {
		if text == strconv.FormatInt(v.Number, 10) || text == v.String() || text == v.File() {
			return v, nil
		}
	}
	return Version{}, fmt.Errorf("%q is not a version; allowed: the number or the file's name of %s", text, list(versions))
}
