package dev

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestWriteAllOrNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	old, added := filepath.Join(dir, "old"), filepath.Join(dir, "added")
	if err := os.WriteFile(old, []byte("before"), 0o644); err != nil {
		t.Fatal(err)
	}
	files := []file{
		{added, []byte("new")},
		{old, []byte("after")},
		{filepath.Join(dir, "no such directory", "file"), []byte("fails")},
	}
	if err := writeAll(files); err == nil || strings.Contains(err.Error(), "remove") {
		t.Fatalf("writeAll: %v, want an error, and only about the writing", err)
	}
	if text, err := os.ReadFile(old); err != nil || string(text) != "before" {
		t.Errorf("a changed file holds %q, %v, want what it held before", text, err)
	}
	if _, err := os.Stat(added); !os.IsNotExist(err) {
		t.Errorf("a new file is still there: %v", err)
	}
	if err := writeAll(files[:2]); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{old: "after", added: "new"} {
		if text, err := os.ReadFile(path); err != nil || string(text) != want {
			t.Errorf("%s holds %q, %v, want %q", filepath.Base(path), text, err, want)
		}
	}
}
