package dev

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	atlas "ariga.io/atlas/sql/migrate"

	"forge/internal/migrator"
)

type file struct {
	path string
	text []byte
}

// filesIn returns the migration files in a directory, oldest first.
func filesIn(path string) (files []file, err error) {
	if _, err := os.ReadDir(path); err != nil {
		return nil, elsewhere(err)
	}
	versions, err := migrator.Versions(os.DirFS(path))
	if err != nil {
		return nil, err
	}
	for _, v := range versions {
		name := filepath.Join(path, v.File())
		text, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		files = append(files, file{name, text})
	}
	return files, nil
}

// elsewhere adds to an error about a missing directory that the command must run at the top of a
// source tree.
func elsewhere(err error) error {
	return fmt.Errorf("%w; this is done at the top of a source tree", err)
}

// checksums returns the checksum file for the files of the directory path.
func checksums(path string, files []file) (file, error) {
	var all []atlas.File
	for _, f := range files {
		all = append(all, atlas.NewLocalFile(filepath.Base(f.path), f.text))
	}
	sum, err := atlas.NewHashFile(all)
	if err != nil {
		return file{}, err
	}
	text, err := sum.MarshalText()
	if err != nil {
		return file{}, err
	}
	return file{filepath.Join(path, atlas.HashFileName), text}, nil
}

// mismatch turns an error of Atlas into one that names the changed file, and says what to do.
func mismatch(path string, err error) error {
	sum := filepath.Join(path, atlas.HashFileName)
	what := fmt.Sprintf("%s is missing or not whole", sum)
	var one *atlas.ChecksumError
	if errors.As(err, &one) {
		what = fmt.Sprintf("%s was %s since %s was written", filepath.Join(path, one.File), one.Reason, sum)
	}
	return fmt.Errorf("%s: if no database has it yet, review it and run `migrate hash`, which writes the checksums anew; "+
		"otherwise undo the change: %w", what, err)
}

// Hash rewrites the checksums of the files in dir/postgres and dir/sqlite. It is for a file that
// was edited before any database had it. It returns the paths of the checksum files that have
// changed. If a file cannot be parsed, or a version has a file for only one kind of database, Hash
// returns an error and writes nothing.
func Hash(dir string) (written []string, err error) {
	var sums []file
	var names [][]string // the names of the files of each kind of database
	for _, d := range dialects {
		path := filepath.Join(dir, d.dir)
		files, err := filesIn(path)
		if err != nil {
			return nil, fmt.Errorf("migrate: %w", err)
		}
		var found []string
		for _, f := range files {
			if _, err := migrator.ParseScript(string(f.text)); err != nil {
				return nil, fmt.Errorf("migrate: %s, %w", f.path, err)
			}
			found = append(found, filepath.Base(f.path))
		}
		names = append(names, found)
		sum, err := checksums(path, files)
		if err != nil {
			return nil, fmt.Errorf("migrate: %w", err)
		}
		if before, err := os.ReadFile(sum.path); err != nil && !errors.Is(err, os.ErrNotExist) {
			return nil, fmt.Errorf("migrate: %w", err)
		} else if string(before) != string(sum.text) {
			sums = append(sums, sum)
			written = append(written, sum.path)
		}
	}
	if err := paired(names); err != nil {
		return nil, err
	}
	if err := writeAll(sums); err != nil {
		return nil, fmt.Errorf("migrate: %w", err)
	}
	return written, nil
}

// paired returns an error if one kind of database lacks a file that the other one has.
func paired(names [][]string) error {
	for i, has := range names {
		other := (i + 1) % len(names)
		for _, name := range has {
			if !slices.Contains(names[other], name) {
				return fmt.Errorf("migrate: %s has %s and %s has not; both need a file of each version, if only with a comment in each section",
					dialects[i].dir, name, dialects[other].dir)
			}
		}
	}
	return nil
}
