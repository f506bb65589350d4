package newtree

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"go/format"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// copier copies files of a tree.
type copier struct {
	from, to string
	rewrite  func(string) string
	program  string          // what go build calls the program of the copy
	copied   map[string]bool // the files and folders of the copy, and "."
}

// copy copies the tree, without what a copy does not have, and with what comes in addition.
func (c copier) copy(ctx context.Context, bare bool) error {
	omitted, err := c.omitted("omit.txt")
	if err != nil {
		return err
	}
	added := filepath.Join(differences, "full")
	if bare {
		more, err := c.omitted("bare.omit.txt")
		if err != nil {
			return err
		}
		omitted, added = append(omitted, more...), filepath.Join(differences, "bare")
	}
	names, err := files(ctx, c.from)
	if err != nil {
		return err
	}
	sources := map[string]string{} // by their names in the copy
	for _, name := range names {
		if !omits(omitted, name) {
			sources[name] = name
		}
	}
	for _, name := range names {
		if target, ok := strings.CutPrefix(name, filepath.ToSlash(added)+"/"); ok {
			sources[target] = name
		}
	}
	c.copied = map[string]bool{".": true}
	for target := range sources {
		for name := target; name != "."; name = path.Dir(name) {
			c.copied[name] = true
		}
	}
	for target, name := range sources {
		if err := c.file(name, target); err != nil {
			return err
		}
	}
	return nil
}

// omitted returns the patterns in a file of the folder of differences: one a line. Lines that begin
// with # are comments. A pattern that begins with ! means files that are copied nevertheless.
func (c copier) omitted(name string) (patterns []string, err error) {
	text, err := os.ReadFile(filepath.Join(c.from, differences, name))
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			patterns = append(patterns, line)
		}
	}
	return patterns, nil
}

// omits reports whether the last of the patterns that match a file leaves it out.
func omits(patterns []string, name string) (omitted bool) {
	for _, p := range patterns {
		kept, isKept := strings.CutPrefix(p, "!")
		if matches(kept, name) {
			omitted = !isKept
		}
	}
	return omitted
}

// matches reports whether a pattern means a file, or a folder that the file is in.
func matches(pattern, name string) bool {
	for ; name != "."; name = path.Dir(name) {
		if ok, err := path.Match(pattern, name); ok || err != nil {
			return true
		}
	}
	return false
}

// untracked are the names of files and folders that are not copied from a tree that is no checkout.
// One that begins with a slash is at the top.
var untracked = []string{".git", ".env", "node_modules", "/forge", "forge.db*", "bin", "*.test", "*.out", "generated-clients"}

// files returns the files of the tree: those that git tracks if it is the top of a checkout, and
// else all but the untracked ones.
func files(ctx context.Context, root string) (names []string, err error) {
	if _, err := os.Stat(filepath.Join(root, ".git")); err == nil {
		cmd := exec.CommandContext(ctx, "git", "ls-files", "-z")
		cmd.Dir = root
		output, err := cmd.Output()
		if err != nil {
			return nil, fmt.Errorf("git ls-files: %w", err)
		}
		return strings.FieldsFunc(string(output), func(r rune) bool { return r == 0 }), nil
	}
	err = filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if name, err = filepath.Rel(root, name); err != nil {
			return err
		}
		name = filepath.ToSlash(name)
		if name != "." && slices.ContainsFunc(untracked, func(pattern string) bool { return matches(pattern, d.Name()) || pattern == "/"+name }) {
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		if d.Type().IsRegular() {
			names = append(names, name)
		}
		return nil
	})
	return names, err
}

// file copies one file. In texts, the module path is replaced. A file that was removed and is still
// tracked is left out.
func (c copier) file(name, target string) error {
	source := filepath.Join(c.from, filepath.FromSlash(name))
	info, err := os.Lstat(source)
	if errors.Is(err, os.ErrNotExist) || err == nil && !info.Mode().IsRegular() {
		return nil
	}
	if err != nil {
		return err
	}
	content, err := os.ReadFile(source)
	if err != nil {
		return err
	}
	if !bytes.ContainsRune(content, 0) && utf8.Valid(content) {
		if content, err = c.text(target, content); err != nil {
			return err
		}
	}
	to := filepath.Join(c.to, filepath.FromSlash(target))
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	return os.WriteFile(to, content, info.Mode().Perm())
}

// text returns a text with the new module path. Imports are sorted anew, because gofmt wants them
// so. A page loses its links to what is not copied. Git ignores the program of the copy.
func (c copier) text(name string, content []byte) ([]byte, error) {
	changed := []byte(c.rewrite(string(content)))
	switch {
	case path.Ext(name) == ".md":
		return []byte(c.unlinked(path.Dir(name), string(changed))), nil
	case name == ".gitignore" && !c.copied[c.program]:
		return append([]byte("/"+c.program+"\n"), changed...), nil
	}
	if path.Ext(name) != ".go" || bytes.Equal(changed, content) {
		return changed, nil
	}
	changed, err := format.Source(changed)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return changed, nil
}

// link matches a link of Markdown to a file, with its text and its target.
var link = regexp.MustCompile(`!?\[([^\]]+)\]\(([^)#:\s]+)(?:#[^)\s]*)?\)`)

// unlinked returns a page of a folder in which links to files that are not copied are their text
// alone, with a word about where the files are. Blocks of code stay as they are.
func (c copier) unlinked(dir, page string) string {
	parts := strings.Split(page, "```")
	for i := 0; i < len(parts); i += 2 {
		parts[i] = link.ReplaceAllStringFunc(parts[i], func(found string) string {
			part := link.FindStringSubmatch(found)
			if c.copied[path.Join(dir, part[2])] {
				return found
			}
			return part[1] + " (in Forge's own tree)"
		})
	}
	return strings.Join(parts, "```")
}
