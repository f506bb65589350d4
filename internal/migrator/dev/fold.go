package dev

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"forge/internal/migrator"
	"forge/internal/usage"
)

// Working is the name of the migrations that are written while somebody works on ent/schema.
const Working = "dev"

// Folded is the result of Fold.
type Folded struct {
	Gone    []int64 // the numbers of the versions that are no more
	Version int64   // the number of the one that stands for them: that of the last of them
	Paths   []string
	Removed []string
}

// Fold replaces the newest versions in dir, those that are called Working, by one called name,
// which leads from the versions before them to the schema. answers say which tables and columns
// were renamed or dropped. If Fold returns an error, the files are as they were.
//
// It needs a PostgreSQL server in the same way as Diff.
func Fold(ctx context.Context, dir, name, devURL string, want Schema, answers Answers) (folded Folded, err error) {
	if _, err := nextVersion(dir, name); err != nil {
		return Folded{}, err
	}
	work, err := os.MkdirTemp("", "forge-fold-")
	if err != nil {
		return Folded{}, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()
	var earlier [][]file
	var gone []file
	for _, d := range dialects {
		before, working, numbers, err := split(filepath.Join(dir, d.dir))
		if err != nil {
			return Folded{}, fmt.Errorf("migrate: %w", err)
		}
		if err := copyTo(filepath.Join(work, d.dir), before); err != nil {
			return Folded{}, err
		}
		earlier, gone, folded.Gone = append(earlier, before), append(gone, working...), numbers
	}
	if len(gone) == 0 {
		return Folded{}, usage.Errorf("the newest migration is not called %s: there is nothing to fold", Working)
	}
	last := len(folded.Gone) - 1
	folded.Gone, folded.Version = folded.Gone[:last], folded.Gone[last]
	fresh, err := foldedFiles(ctx, dir, work, devURL, migrator.Version{Number: folded.Version, Name: name}, want, answers, earlier)
	if err != nil {
		return Folded{}, err
	}
	begun, err := replace(gone, fresh)
	folded.Paths, folded.Removed = begun.Paths, begun.Removed
	return folded, err
}

// foldedFiles plans the version that leads from the earlier files, of which work has a copy, to the
// schema.
func foldedFiles(ctx context.Context, dir, work, devURL string, v migrator.Version, want Schema, answers Answers, earlier [][]file) (files []file, err error) {
	boxes, err := newSandboxes(ctx, "fold", devURL)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, boxes.close()) }()
	plans, err := boxes.plans(ctx, work, want, answers)
	if err != nil {
		return nil, err
	}
	for i, d := range dialects {
		path := filepath.Join(dir, d.dir)
		step := file{filepath.Join(path, v.File()), plans[i].text()}
		sum, err := checksums(path, append(earlier[i], step))
		if err != nil {
			return nil, fmt.Errorf("migrate: %w", err)
		}
		files = append(files, step, sum)
	}
	return files, nil
}

// split returns the files in path, and apart from them the newest ones that are called Working,
// with their numbers.
func split(path string) (before, working []file, numbers []int64, err error) {
	files, err := filesIn(path)
	if err != nil {
		return nil, nil, nil, err
	}
	versions, err := migrator.Versions(os.DirFS(path))
	if err != nil {
		return nil, nil, nil, err
	}
	at := len(files)
	for at > 0 && versions[at-1].Name == Working {
		at--
		numbers = append([]int64{versions[at].Number}, numbers...)
	}
	return files[:at:at], files[at:], numbers, nil
}

// copyTo writes copies of files to a new folder.
func copyTo(dir string, files []file) error {
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	for _, f := range files {
		if err := os.WriteFile(filepath.Join(dir, filepath.Base(f.path)), f.text, 0o644); err != nil {
			return err
		}
	}
	return nil
}
