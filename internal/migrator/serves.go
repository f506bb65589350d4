package migrator

import (
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strconv"
)

// breaking are the rules of lint about statements that may break builds from before the file. Where
// a file acknowledges one of them, these builds are not served any more, unless the file says which
// are; see serves.
var breaking = []string{
	"drop-table", "drop-column", "rename-table", "rename-column", "add-not-null-column", "set-not-null", "change-type",
	"add-check", "change-check", "add-foreign-key", "add-unique-index", "change-primary-key", "drop-cascade",
}

// Breaking returns the names of lint's rules about statements that may break builds from before.
func Breaking() []string { return slices.Clone(breaking) }

var (
	allowed    = regexp.MustCompile(`(?m)^\s*--\s*lint:allow\s+([a-z-]+)`)
	servesMark = regexp.MustCompile(`(?m)^\s*--\s*forge:serves\b[ \t]*(.*?)\s*$`)
)

// serves returns the number of the oldest version whose build may go on when a version is applied,
// or 0 if all builds may. A file names that version in a comment:
//
//	-- forge:serves 20261128101112_add_title
//
// Its number or its name alone will do. Without the comment, no build from before may go on if the
// file acknowledges a finding that is about them, and otherwise all may.
func serves(files fs.FS, v Version) (int64, error) {
	text, err := fs.ReadFile(files, v.File())
	if err != nil {
		return 0, err
	}
	if named := servesMark.FindSubmatch(text); named != nil {
		return servedFrom(files, v, string(named[1]))
	}
	for _, m := range allowed.FindAllSubmatch(text, -1) {
		if slices.Contains(breaking, string(m[1])) {
			return v.Number, nil
		}
	}
	return 0, nil
}

// servedFrom returns the number of the version that a file names. It returns an error if that is
// not an older version.
func servedFrom(files fs.FS, v Version, name string) (int64, error) {
	versions, err := Versions(files)
	if err != nil {
		return 0, err
	}
	for _, older := range slices.Backward(versions) {
		if older.Number < v.Number && (name == older.Name || name == older.String() || name == strconv.FormatInt(older.Number, 10)) {
			return older.Number, nil
		}
	}
	return 0, fmt.Errorf("%s: forge:serves names %q, which is no version before it; allowed: the number or the name of an older version",
		v.File(), name)
}

// ServedAfter returns what serves returns for the version with a number.
func ServedAfter(files fs.FS, number int64) (int64, error) {
	versions, err := Versions(files)
	if err != nil {
		return 0, err
	}
	at := slices.IndexFunc(versions, func(v Version) bool { return v.Number == number })
	if at < 0 {
		return 0, fmt.Errorf("there is no file for the version %d", number)
	}
	return serves(files, versions[at])
}

// Suits reports whether the database has newer versions than this program has files, and all of
// them say that this build may go on.
func (r *Report) Suits() bool {
	newer, build := 0, r.newestFile()
	for _, s := range r.Versions {
		if s.Version.Number <= build {
			continue
		}
		if newer++; s.serves == nil || *s.serves > build {
			return false
		}
	}
	return newer > 0
}

// newestFile returns the number of the newest version for which there is a file, or 0.
func (r *Report) newestFile() (number int64) {
	for _, s := range r.Versions {
		if s.Version.Name != "" {
			number = s.Version.Number
		}
	}
	return number
}
