// Package newtree makes a new source tree from the one that this program was built in: the same
// application, or a bare one with accounts alone, under another module path.
//
// The folder _new of the tree says how a copy differs: omit.txt lists what no copy has, and
// bare.omit.txt what a bare one lacks beside that. Files below full and bare come in addition, or
// stand in for those of the tree.
package newtree

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"

	"forge/internal/usage"
)

// differences is the folder of the tree that says how a copy differs.
const differences = "_new"

// Options say what to make.
type Options struct {
	Dir    string // must not exist, or be empty
	Module string // the module path of the new tree
	Bare   bool   // without the entities, tests and data of the demo
	Log    io.Writer
}

// Make makes a tree in o.Dir from the one whose top is the folder root. It writes beside o.Dir and
// renames at the end: if it returns an error, o.Dir is as it was.
func Make(ctx context.Context, root string, o Options) error {
	before, err := o.check(ctx, root)
	if err != nil {
		return err
	}
	target, err := filepath.Abs(o.Dir)
	if err != nil {
		return err
	}
	made, err := os.MkdirTemp(filepath.Dir(target), ".new-")
	if err != nil {
		return fmt.Errorf("new: %w", err)
	}
	defer os.RemoveAll(made)
	c := copier{from: root, to: made, rewrite: rewriter(before, o.Module, path.Base(target)), program: programOf(o.Module)}
	if err := c.copy(ctx, o.Bare); err != nil {
		return fmt.Errorf("new: %w", err)
	}
	if before != o.Module || o.Bare {
		fmt.Fprintln(o.Log, "generating code for the new tree; this takes a minute or two")
		if err := generate(ctx, made); err != nil {
			return err
		}
	}
	if o.Bare {
		// Tests that only the demo has use modules that nothing else does. Where the sums of all
		// modules cannot be had now, go.mod names a few too many, and all works.
		if err := run(ctx, made, "mod", "tidy"); err != nil {
			fmt.Fprintln(o.Log, "go mod tidy could not be run; run it in the new tree when the modules can be reached")
		}
	}
	return put(made, target)
}

// put moves the finished tree to its place.
func put(made, target string) error {
	if err := os.Chmod(made, 0o755); err != nil {
		return fmt.Errorf("new: %w", err)
	}
	if err := os.Remove(target); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("new: %w", err)
	}
	if err := os.Rename(made, target); err != nil {
		return fmt.Errorf("new: %w", err)
	}
	return nil
}

// check returns the module path of the tree at root. It returns an error if that is no tree to
// copy, or if the options do not allow to make another one.
func (o Options) check(ctx context.Context, root string) (module string, err error) {
	module, err = moduleOf(root)
	if err != nil {
		return "", err
	}
	if err := checkTarget(o.Dir, root); err != nil {
		return "", err
	}
	return module, checkModule(ctx, o.Module, root)
}

// checkTarget returns an error if dir is not empty, or is inside of the tree that would be copied.
func checkTarget(dir, root string) error {
	if dir == "" {
		return usage.Errorf("new needs the folder to make, such as ../shop")
	}
	entries, err := os.ReadDir(dir)
	switch {
	case errors.Is(err, os.ErrNotExist):
		parent := filepath.Dir(filepath.Clean(dir))
		if info, err := os.Stat(parent); err != nil || !info.IsDir() {
			return usage.Errorf("%s cannot be made: there is no folder %s", dir, parent)
		}
	case err != nil:
		return usage.Errorf("%s is not a folder that can be read; name one that does not exist, or is empty", dir)
	case len(entries) > 0:
		return usage.Errorf("%s is not empty; name a folder that does not exist, or is empty", dir)
	}
	inside, err := isInside(dir, root)
	if err == nil && inside {
		return usage.Errorf("%s is inside of the tree that would be copied; name a folder elsewhere, such as ../%s", dir, filepath.Base(dir))
	}
	return err
}

func isInside(dir, root string) (bool, error) {
	target, err := filepath.Abs(dir)
	if err != nil {
		return false, err
	}
	// The folder itself need not exist, but the one that it is in does.
	parent, err := filepath.EvalSymlinks(filepath.Dir(target))
	if err != nil {
		return false, err
	}
	top, err := filepath.Abs(root)
	if err != nil {
		return false, err
	}
	if top, err = filepath.EvalSymlinks(top); err != nil {
		return false, err
	}
	between, err := filepath.Rel(top, parent)
	return err == nil && between != ".." && !strings.HasPrefix(between, ".."+string(filepath.Separator)), err
}

// generate runs the generators in a tree. What they write depends on the module path, if only in
// the order of imports. Ent's comes first, by itself, because it removes the files of entities that
// are gone, which go generate would look for.
func generate(ctx context.Context, dir string) error {
	for _, what := range []string{"./ent/generate.go", "./..."} {
		if err := run(ctx, dir, "generate", what); err != nil {
			return err
		}
	}
	return nil
}

// run runs the go command in a tree.
func run(ctx context.Context, dir string, args ...string) error {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = dir
	// Without paths in them, packages are built once, although the tree moves.
	cmd.Env = append(os.Environ(), "GOFLAGS="+os.Getenv("GOFLAGS")+" -trimpath -buildvcs=false", "GOWORK=off")
	if output, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("new: go %s in the new tree: %w\n%s", strings.Join(args, " "), err, bytes.TrimSpace(output))
	}
	return nil
}
