package newtree

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"strings"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"

	"forge/internal/usage"
)

// moduleOf returns the module path of the tree at root. It returns an error if root is not the top
// of a tree that can be copied.
func moduleOf(root string) (string, error) {
	text, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		return "", usage.Errorf("new copies the source tree that it is run in, and this is not the top of one: there is no go.mod here")
	}
	if _, err := os.Stat(filepath.Join(root, differences)); errors.Is(err, os.ErrNotExist) {
		return "", usage.Errorf("new is run at the top of Forge's own source tree, which has a folder %s; this tree has none", differences)
	}
	if found := modfile.ModulePath(text); found != "" {
		return found, nil
	}
	return "", usage.Errorf("new: go.mod does not name a module")
}

// checkModule returns an error if a new tree cannot have the module path, for example because the
// imports of its packages would mean packages of others.
func checkModule(ctx context.Context, name, root string) error {
	if name == "" {
		return usage.Errorf("new needs --module, the path by which Go code imports the packages of the new tree, such as example.com/shop")
	}
	refused := func(why string) error {
		return usage.Errorf("--module=%q is not allowed: %s; allowed: a path such as example.com/shop", name, why)
	}
	if err := module.CheckImportPath(name); err != nil {
		var invalid *module.InvalidPathError
		if errors.As(err, &invalid) {
			err = invalid.Err
		}
		return refused(err.Error())
	}
	first, _, several := strings.Cut(name, "/")
	if _, _, ok := module.SplitPathVersion(name); !ok {
		return refused("Go takes its end for a major version, and there is none such")
	}
	if strings.Contains("/"+name+"/", "/vendor/") || strings.Contains("/"+name+"/", "/internal/") && !several {
		return refused("packages below a folder of that name cannot be imported")
	}
	if strings.Contains(first, ".") {
		if err := module.CheckPath(name); err != nil {
			var invalid *module.InvalidPathError
			if errors.As(err, &invalid) {
				err = invalid.Err
			}
			return refused(err.Error())
		}
	} else if ofGo, err := isOfGo(ctx, first); err != nil || ofGo {
		if err != nil {
			return err
		}
		return refused("packages of Go itself begin with " + first)
	}
	return checkRequired(name, root, refused)
}

// isOfGo reports whether packages of the standard library, or a name with a meaning of its own to
// the go command, begin with an element.
func isOfGo(ctx context.Context, first string) (bool, error) {
	switch first {
	case "all", "cmd", "internal", "main", "std", "tool", "vendor", "work":
		return true, nil
	}
	output, err := exec.CommandContext(ctx, "go", "list", "std").Output()
	if err != nil {
		return false, fmt.Errorf("new: go list std: %w", err)
	}
	for line := range strings.Lines(string(output)) {
		if element, _, _ := strings.Cut(strings.TrimSpace(line), "/"); element == first {
			return true, nil
		}
	}
	return false, nil
}

// checkRequired returns an error if a module that the tree needs is at or below the path.
func checkRequired(name, root string, refused func(string) error) error {
	path := filepath.Join(root, "go.mod")
	text, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("new: %w", err)
	}
	mod, err := modfile.Parse(path, text, nil)
	if err != nil {
		return fmt.Errorf("new: %w", err)
	}
	for _, r := range mod.Require {
		if r.Mod.Path == name || strings.HasPrefix(r.Mod.Path, name+"/") {
			return refused("Forge uses packages of " + r.Mod.Path)
		}
	}
	return nil
}

// programOf returns what go build calls the program of a module.
func programOf(name string) string {
	prefix, _, _ := module.SplitPathVersion(name)
	return path.Base(prefix)
}

// placeholder is what the files of the folder of differences call the new tree.
const placeholder = "NEWTREE"

// rewriter returns a function that replaces the module path in a text by another one, where it
// begins an import path or is one.
func rewriter(before, after, name string) func(string) string {
	quoted := regexp.QuoteMeta(before)
	below := regexp.MustCompile(`(^|[^\w./-])` + quoted + `/(console|ent|graph|internal|mail|migrate|playground|seed|test|bench)\b`)
	whole := regexp.MustCompile(`(?m)^module ` + quoted + `\b|"` + quoted + `/"`)
	return func(text string) string {
		text = whole.ReplaceAllStringFunc(text, func(found string) string { return strings.Replace(found, before, after, 1) })
		text = below.ReplaceAllStringFunc(text, func(found string) string { return strings.Replace(found, before+"/", after+"/", 1) })
		return strings.ReplaceAll(text, placeholder, name)
	}
}
