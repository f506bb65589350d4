package tree

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestStale edits what code was generated from.
func TestStale(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(path, text string, age time.Duration) {
		t.Helper()
		path = filepath.Join(dir, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, time.Time{}, time.Now().Add(-age)); err != nil {
			t.Fatal(err)
		}
	}
	check := func(when string, want ...string) {
		t.Helper()
		got := Stale(dir)
		if len(got) != len(want) {
			t.Fatalf("%s: %q, want %q", when, got, want)
		}
		for i := range want {
			if !strings.Contains(got[i], want[i]) {
				t.Errorf("%s: %q, want %q", when, got[i], want[i])
			}
		}
	}
	check("no source tree")
	write("ent/entities.go", "package ent", time.Hour)
	write("ent/schema/shelf.go", "package schema", time.Hour-time.Second)
	write("ent/schema/book.go", "package schema", 2*time.Hour)
	write("schema.graphqls", "\"The `id`.\"\ntype Query { id: ID }\n", 0)
	write("graph/generated/generated.go", "Input: `\"The ` + \"`\" + `id` + \"`\" + `.\"\ntype Query { id: ID }\n`", time.Hour)
	check("generated")
	write("ent/schema/shelf.go", "package schema", time.Minute)
	check("an edge more", "the generated code in ent is older than ent/schema/shelf.go; go generate")
	write("schema.graphqls", "type Query {", 0)
	check("a syntax error", "ent/schema/shelf.go", "the generated code in graph is older than schema.graphqls")
}
