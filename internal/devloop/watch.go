package devloop

import (
	"context"
	"errors"
	"hash/fnv"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/fsnotify/fsnotify"
)

// prints are hashes of the files that the steps of a round read.
type prints struct {
	entities  uint64 // what ent generates from
	contract  uint64 // what gqlgen generates from
	migration uint64 // the SQL files
	program   uint64 // what the program is built from
}

// prints returns the hashes of the files as they are now.
func (l *loop) prints() (p prints, err error) {
	err = filepath.WalkDir(l.Root, func(path string, d fs.DirEntry, err error) error {
		name, relErr := filepath.Rel(l.Root, path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil // it was removed in the meantime
		case err != nil || relErr != nil:
			return errors.Join(err, relErr)
		case d.IsDir() && skipped(name):
			return fs.SkipDir
		case !d.Type().IsRegular():
			return nil
		}
		return p.add(path, filepath.ToSlash(name))
	})
	return p, err
}

// add adds a file to the hashes that it belongs to.
func (p *prints) add(path, name string) error {
	var to []*uint64
	switch {
	case strings.HasPrefix(name, "ent/schema/"), strings.HasPrefix(name, "ent/template/"), name == "ent/generate.go":
		to = append(to, &p.entities)
	case name == "schema.graphqls", name == "gqlgen.yml":
		to = append(to, &p.contract)
	case strings.HasPrefix(name, "migrate/") && strings.HasSuffix(name, ".sql"):
		to = append(to, &p.migration)
	}
	isGo := strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, "_test.go")
	if isGo || name == "schema.graphqls" || name == "go.mod" || strings.HasPrefix(name, "playground/dist/") || strings.HasPrefix(name, "console/dist/") {
		to = append(to, &p.program)
	}
	if len(to) == 0 {
		return nil
	}
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer file.Close()
	h := fnv.New64a()
	_, _ = io.WriteString(h, name+"\x00")
	if _, err := io.Copy(h, file); err != nil {
		return err
	}
	for _, sum := range to {
		*sum = *sum*31 + h.Sum64() // files come in the order of their names
	}
	return nil
}

// skipped reports whether a folder has nothing that the program is made of.
func skipped(name string) bool {
	base := filepath.Base(name)
	switch base {
	case "node_modules", "testdata":
		return true
	case "test", "bench", "docs", "deploy":
		return name == base // at the top
	}
	return name != "." && (strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_"))
}

// pause is how long no file must have been saved before a round begins: editors and generators
// write several at once.
const pause = 150 * time.Millisecond

// watch returns a channel on which there is a value after files below root were saved, until ctx
// ends. Folders are watched, not files, because many editors replace a file when they save it.
func watch(ctx context.Context, root string) (<-chan struct{}, error) {
	w, err := fsnotify.NewWatcher()
	if err != nil {
		return nil, err
	}
	if err := addFolders(w, root, root); err != nil {
		return nil, errors.Join(err, w.Close())
	}
	saves := make(chan struct{}, 1)
	go func() {
		defer w.Close()
		quiet := time.NewTimer(time.Hour)
		for {
			select {
			case <-ctx.Done():
				return
			case e := <-w.Events:
				if e.Has(fsnotify.Create) {
					_ = addFolders(w, root, e.Name) // if it is a folder that was not removed again
				}
				quiet.Reset(pause)
			case <-w.Errors: // events were lost: look at all files
				quiet.Reset(pause)
			case <-quiet.C:
				select {
				case saves <- struct{}{}:
				default: // there is one already
				}
			}
		}
	}()
	return saves, nil
}

// addFolders watches a folder and those below it. It does nothing for a file.
func addFolders(w *fsnotify.Watcher, root, top string) error {
	return filepath.WalkDir(top, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return err
		}
		name, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		if skipped(name) {
			return fs.SkipDir
		}
		return w.Add(path)
	})
}
