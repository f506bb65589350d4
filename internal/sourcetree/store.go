package sourcetree

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/rogpeppe/go-internal/diff"
)

// store writes the files, and calls next. If something fails, it brings back all that was there
// before in the files and below the directories of generated code.
func (t *Tree) store(next func() error) error {
	before, err := t.snapshot()
	if err != nil {
		return err
	}
	err = t.write()
	if err == nil {
		err = next()
	}
	if err == nil {
		return nil
	}
	if lost := t.restore(before); lost != nil {
		return errors.Join(err, fmt.Errorf("and not all files could be brought back: %w", lost))
	}
	return fmt.Errorf("%w\nall files are as they were before", err)
}

func (t *Tree) write() error {
	for _, path := range slices.Sorted(maps.Keys(t.files)) {
		if err := replaceFile(filepath.Join(t.dir, path), t.files[path]); err != nil {
			return err
		}
	}
	return nil
}

// replaceFile writes a file beside its place, and then moves it there.
func replaceFile(path string, text []byte) error {
	mode := fs.FileMode(0o644)
	if info, err := os.Stat(path); err == nil {
		mode = info.Mode().Perm()
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".scaffold")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(text)
	if err = errors.Join(err, f.Chmod(mode), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// snapshot returns the files that may change, by their paths.
func (t *Tree) snapshot() (map[string][]byte, error) {
	files := map[string][]byte{}
	for path := range t.files {
		text, err := os.ReadFile(filepath.Join(t.dir, path))
		switch {
		case err == nil:
			files[path] = text
		case !errors.Is(err, fs.ErrNotExist):
			return nil, err
		}
	}
	return files, t.generated(func(path string) error {
		text, err := os.ReadFile(filepath.Join(t.dir, path))
		files[path] = text
		return err
	})
}

// generated calls f with each file below the directories of generated code.
func (t *Tree) generated(f func(path string) error) error {
	for _, dir := range []string{"ent", graphDir} {
		err := filepath.WalkDir(filepath.Join(t.dir, dir), func(path string, d fs.DirEntry, err error) error {
			if err != nil || !d.Type().IsRegular() {
				return err
			}
			path, err = filepath.Rel(t.dirOrDot(), path)
			if err != nil {
				return err
			}
			return f(filepath.ToSlash(path))
		})
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

func (t *Tree) dirOrDot() string { return filepath.Join(t.dir, ".") }

// restore brings back the files of a snapshot, and removes those that were not in it.
func (t *Tree) restore(before map[string][]byte) error {
	var failed []error
	remove := func(path string) error {
		if _, was := before[path]; !was {
			failed = append(failed, os.Remove(filepath.Join(t.dir, path)))
		}
		return nil
	}
	failed = append(failed, t.generated(remove))
	for path := range t.files {
		if _, err := os.Stat(filepath.Join(t.dir, path)); err == nil {
			_ = remove(path)
		}
	}
	for path, text := range before {
		if now, err := os.ReadFile(filepath.Join(t.dir, path)); err != nil || !bytes.Equal(now, text) {
			failed = append(failed, replaceFile(filepath.Join(t.dir, path), text))
		}
	}
	return errors.Join(failed...)
}

// diff returns the changes as a unified diff.
func (t *Tree) diff() []byte {
	var b bytes.Buffer
	for _, path := range slices.Sorted(maps.Keys(t.files)) {
		old, _ := os.ReadFile(filepath.Join(t.dir, path)) // a file that is not there is empty
		b.Write(diff.Diff("a/"+path, old, "b/"+path, t.files[path]))
	}
	return b.Bytes()
}
