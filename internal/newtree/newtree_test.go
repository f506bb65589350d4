package newtree

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"forge/internal/usage"
)

// top is the top of the source tree.
const top = "../.."

// TestCopy copies the tree in both forms, without generating code, and looks for what must not be
// left in a copy.
func TestCopy(t *testing.T) {
	if testing.Short() {
		t.Skip("reads and formats the whole tree, twice")
	}
	t.Parallel()
	for _, bare := range []bool{false, true} {
		to := t.TempDir()
		c := copier{from: top, to: to, rewrite: rewriter("forge", "example.com/my.shop/v2", "shop"), program: programOf("example.com/my.shop/v2")}
		if err := c.copy(t.Context(), bare); err != nil {
			t.Fatal(err)
		}
		all := mustRead(t, to)
		old := regexp.MustCompile(`"forge/(console|docs|ent|graph|internal|mail|migrate|playground|seed|test)\b|\bmodule forge\b|\sforge/internal/|` + placeholder)
		for name, text := range all {
			if found := old.FindString(text); found != "" {
				t.Errorf("%s (bare: %t) says %q", name, bare, found)
			}
		}
		for _, name := range []string{"go.mod", "README.md", "LICENSE", "Makefile", ".ci/run", "ent/schema/user.go", "graph/access.go"} {
			if all[name] == "" {
				t.Errorf("%s (bare: %t) is missing", name, bare)
			}
		}
		if _, ok := all["ent/schema/hero.go"]; ok == bare {
			t.Errorf("bare: %t, and the demo's entities are there: %t", bare, ok)
		}
		if !strings.Contains(all["README.md"], "# shop\n") || !strings.Contains(all["go.mod"], "module example.com/my.shop/v2\n") {
			t.Errorf("bare: %t: README.md begins with %.30q, go.mod with %.50q", bare, all["README.md"], all["go.mod"])
		}
		if !strings.Contains(all[".gitignore"], "/my.shop\n") {
			t.Errorf("bare: %t: git does not ignore the program: %q", bare, all[".gitignore"])
		}
		if bare {
			checkBare(t, all)
		}
		checkLinks(t, to, all)
		// Nothing of a checkout, nor about Forge alone.
		for _, name := range []string{".git/HEAD", "CHANGELOG.md", "forge.db", "_new/omit.txt", "bench/main.go"} {
			if _, ok := all[name]; ok && (bare || name != "bench/main.go") {
				t.Errorf("%s (bare: %t) was copied", name, bare)
			}
		}
	}
}

// checkLinks follows the links in the pages of a copy.
func checkLinks(t *testing.T, dir string, all map[string]string) {
	links, fence := regexp.MustCompile(`\]\(([^)#:\s]+)[)#]`), regexp.MustCompile("(?s)```.*?```")
	followed := 0
	for name, text := range all {
		if path.Ext(name) != ".md" {
			continue
		}
		for _, found := range links.FindAllStringSubmatch(fence.ReplaceAllString(text, ""), -1) {
			followed++
			if _, err := os.Stat(filepath.Join(dir, path.Dir(name), found[1])); err != nil {
				t.Errorf("%s links to %s, which was not copied", name, found[1])
			}
		}
	}
	if followed < 50 {
		t.Errorf("the pages have %d links, want more", followed)
	}
}

// TestUnlinked takes links out of a page. Code, and what is elsewhere, stays.
func TestUnlinked(t *testing.T) {
	t.Parallel()
	c := copier{copied: map[string]bool{".": true, "docs": true, "docs/a.md": true}}
	for before, want := range map[string]string{
		"[a](a.md#x) and [top](..)":         "[a](a.md#x) and [top](..)",
		"[`b` of\nit](../b.md#x), [c](d/c)": "`b` of\nit (in Forge's own tree), c (in Forge's own tree)",
		"[x](https://example.com) [y](#z)":  "[x](https://example.com) [y](#z)",
		"```go\nf[int](n)\n```\n[b](b)":     "```go\nf[int](n)\n```\nb (in Forge's own tree)",
	} {
		if got := c.unlinked("docs", before); got != want {
			t.Errorf("%q becomes %q, want %q", before, got, want)
		}
	}
}

// TestIgnored copies .gitignore into trees whose programs have the names of a file and of a folder.
func TestIgnored(t *testing.T) {
	t.Parallel()
	for program, want := range map[string]string{"library": "/library\n/forge\n", "graph": "/forge\n"} {
		c := copier{program: program, copied: map[string]bool{"graph": true}, rewrite: strings.Clone}
		if got, err := c.text(".gitignore", []byte("/forge\n")); err != nil || string(got) != want {
			t.Errorf("%s: %q, %v, want %q", program, got, err, want)
		}
	}
}

// checkBare looks for the demo's entities in what belongs to the application.
func checkBare(t *testing.T, all map[string]string) {
	demo := regexp.MustCompile(`(?i)hero|\bteam|product\b|products|inventor|order_?items?|OrderItem|placeOrder|createOrder\b`)
	mine := regexp.MustCompile(`^(schema\.graphqls|gqlgen\.yml|server\.go|Makefile|\.ci/|Dockerfile|ent/schema/|graph/\w+\.go|mail/|migrate/|seed/|playground/examples/|test/(api|program)/)`)
	for name, text := range all {
		if found := demo.FindString(text); mine.MatchString(name) && found != "" {
			t.Errorf("%s of a bare copy says %q", name, found)
		}
	}
}

func mustRead(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || path.Ext(name) == ".gz" {
			return err
		}
		text, err := os.ReadFile(name)
		name, _ = filepath.Rel(dir, name)
		all[filepath.ToSlash(name)] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestOmit checks that each pattern still means a file, so that none stands there for nothing.
func TestOmit(t *testing.T) {
	t.Parallel()
	names, err := files(t.Context(), top)
	if err != nil {
		t.Fatal(err)
	}
	for _, list := range []string{"omit.txt", "bare.omit.txt"} {
		patterns, err := copier{from: top}.omitted(list)
		if err != nil || len(patterns) == 0 {
			t.Fatalf("%s: %v, %v", list, patterns, err)
		}
		for _, p := range patterns {
			found := false
			for _, name := range names {
				found = found || matches(strings.TrimPrefix(p, "!"), name)
			}
			if !found {
				t.Errorf("%s: %s means no file", list, p)
			}
		}
	}
}

// TestRewrite replaces the module path where it is one, and nowhere else.
func TestRewrite(t *testing.T) {
	t.Parallel()
	rewrite := rewriter("forge", "example.com/a$1", "a")
	for before, want := range map[string]string{
		"module forge\n":                        "module example.com/a$1\n",
		`import "forge/internal/ids"`:           `import "example.com/a$1/internal/ids"`,
		"\tmodel: forge/internal/ids.ID":        "\tmodel: example.com/a$1/internal/ids.ID",
		"//go:generate go run forge/internal/x": "//go:generate go run example.com/a$1/internal/x",
		`strings.TrimPrefix(name, "forge/")`:    `strings.TrimPrefix(name, "example.com/a$1/")`,
		"/etc/forge/forge.env":                  "/etc/forge/forge.env",
		"/srv/forge/internal":                   "/srv/forge/internal",
		`Name: "forge",`:                        `Name: "forge",`,
		"example.org/my-forge/internal":         "example.org/my-forge/internal",
		"forge/internals":                       "forge/internals",
		"# " + placeholder:                      "# a",
	} {
		if got := rewrite(before); got != want {
			t.Errorf("%q becomes %q, want %q", before, got, want)
		}
	}
}

// TestRefused asks for what cannot be made. Nothing may be written.
func TestRefused(t *testing.T) {
	t.Parallel()
	parent := t.TempDir()
	full, file := filepath.Join(parent, "full"), filepath.Join(parent, "file")
	if err := errors.Join(os.MkdirAll(filepath.Join(full, "x"), 0o755), os.WriteFile(file, nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	free := filepath.Join(parent, "free")
	for _, tt := range []struct{ root, dir, module, want string }{
		{parent, free, "example.com/a", "no go.mod here"},
		{top, "", "example.com/a", "needs the folder"},
		{top, full, "example.com/a", "is not empty"},
		{top, file, "example.com/a", "is not a folder"},
		{top, filepath.Join(parent, "none", "free"), "example.com/a", "there is no folder"},
		{top, filepath.Join(top, "inside"), "example.com/a", "inside of the tree"},
		{top, free, "", "needs --module"},
		{top, free, "example.com/a b", "invalid char"},
		{top, free, "example.com//a", "double slash"},
		{top, free, "../a", "invalid path element"},
		{top, free, "example.com/a/v1", "major version"},
		{top, free, "net/app", "Go itself"},
		{top, free, "main", "Go itself"},
		{top, free, "entgo.io", "entgo.io/ent"},
		{top, free, "github.com/lib/pq", "github.com/lib/pq"},
		{top, free, "example.com/vendor/a", "cannot be imported"},
		{top, free, "-a.com/b", "dash"},
	} {
		err := Make(t.Context(), tt.root, Options{Dir: tt.dir, Module: tt.module, Bare: true, Log: io.Discard})
		var refused *usage.Error
		if !errors.As(err, &refused) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%q, %q: %v, want a mistake that says %q", tt.dir, tt.module, err, tt.want)
		}
	}
	for _, name := range []string{"shop", "example.com/shop", "example.com/shop/v2", "gopkg.in/shop.v1", "example.com/my.Shop", "example.com/internal/shop"} {
		if err := checkModule(t.Context(), name, top); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	entries, err := os.ReadDir(parent)
	if err != nil || len(entries) != 2 {
		t.Errorf("there is %v, %v, want only what was there", entries, err)
	}
}

// TestFiles lists a tree that is no checkout, such as one that was unpacked from an archive.
func TestFiles(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	for _, name := range []string{"forge", "forge.db", ".env", "go.mod", "internal/forge/main.go", "console/node_modules/react/index.js"} {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := files(t.Context(), root)
	if want := []string{"go.mod", "internal/forge/main.go"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("files %q, %v, want %q", got, err, want)
	}
}
