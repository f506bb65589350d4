package sourcetree

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestStore stores files, and has the generators fail after they have written something.
func TestStore(t *testing.T) {
	dir := t.TempDir()
	before := map[string]string{"schema.graphqls": "old", "graph/access.go": "local changes", "ent/hero.go": "generated"}
	for path, text := range before {
		writeFile(t, dir, path, text)
	}
	tree := &Tree{dir: dir, files: map[string][]byte{"schema.graphqls": []byte("new"), "ent/schema/new.go": []byte("new")}}
	failed := errors.New("the generator failed")
	err := tree.store(func() error {
		writeFile(t, dir, "ent/hero.go", "half")
		writeFile(t, dir, "graph/generated/generated.go", "half")
		if got := filesIn(t, dir); got["schema.graphqls"] != "new" {
			t.Error("the generators run before the files are stored")
		}
		return failed
	})
	if !errors.Is(err, failed) {
		t.Errorf("the error is %v", err)
	}
	if diff := cmp.Diff(before, filesIn(t, dir)); diff != "" {
		t.Errorf("after a failure (- before, + now):\n%s", diff)
	}
	if err := tree.store(func() error { return nil }); err != nil {
		t.Fatal(err)
	}
	if got := filesIn(t, dir); got["schema.graphqls"] != "new" || got["ent/schema/new.go"] != "new" || got["graph/access.go"] != "local changes" {
		t.Errorf("the files are %v", got)
	}
}

func writeFile(t *testing.T, dir, path, text string) {
	t.Helper()
	path = filepath.Join(dir, path)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func filesIn(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		rel, _ := filepath.Rel(dir, path)
		files[filepath.ToSlash(rel)] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// TestAccess adds entries to tables of access.
func TestAccess(t *testing.T) {
	entries := []Access{{Field: "Query.book", Role: "Anonymous"}, {Field: "Mutation.createBook", Role: "User", Roles: []string{"EDITOR"}}}
	const begin, end = "package graph\n\nfunc access() map[string]gqlexec.Access {\n\treturn map[string]gqlexec.Access{", "}\n}\n"
	for _, tt := range []struct{ name, table, want string }{
		{"empty", "", "\n\t\t\"Query.book\":          {Role: viewer.Anonymous},\n\t\t\"Mutation.createBook\": {Role: viewer.User, Roles: []string{\"EDITOR\"}},\n\t"},
		{"in place", "\n\t\t\"Query.a\": {Role: viewer.Admin}, // mine\n\n\t\t\"Mutation.b\": {},\n\t\t// the end\n\t",
			"\n\t\t\"Query.a\":    {Role: viewer.Admin}, // mine\n\t\t\"Query.book\": {Role: viewer.Anonymous},\n\n\t\t\"Mutation.b\":          {},\n" +
				"\t\t\"Mutation.createBook\": {Role: viewer.User, Roles: []string{\"EDITOR\"}},\n\t\t// the end\n\t"},
		{"there", "\n\t\t\"Query.book\":          {Role: viewer.Admin},\n\t\t\"Mutation.createBook\": {Role: viewer.Admin},\n\t",
			"\n\t\t\"Query.book\":          {Role: viewer.Admin},\n\t\t\"Mutation.createBook\": {Role: viewer.Admin},\n\t"},
	} {
		got, err := withAccess([]byte(begin+tt.table+end), entries)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(begin+tt.want+end, string(got)); diff != "" {
			t.Errorf("%s (- want, + got):\n%s", tt.name, diff)
		}
	}
	if _, err := withAccess([]byte("package graph\n"), entries); err == nil {
		t.Error("entries are added to a file that has no table")
	}
}
