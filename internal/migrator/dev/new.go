package dev

import (
	"fmt"
	"path/filepath"
)

// New writes an empty version called name. It is for changes that ent/schema does not express: rows
// to fill in, a trigger, an index that is built outside of a transaction. Like Diff, it writes a
// file for each kind of database and their checksums, and nothing if it returns an error. It
// returns the paths of the files.
func New(dir, name string) (paths []string, err error) {
	version, err := nextVersion(dir, name)
	if err != nil {
		return nil, err
	}
	var files []file
	for _, d := range dialects {
		step := file{filepath.Join(dir, d.dir, version.File()), plan{}.text()}
		_, sum, err := withSum(step)
		if err != nil {
			return nil, fmt.Errorf("migrate: %w", err)
		}
		files = append(files, step, sum)
		paths = append(paths, step.path, sum.path)
	}
	if err := writeAll(files); err != nil {
		return nil, fmt.Errorf("migrate: %w", err)
	}
	return paths, nil
}
