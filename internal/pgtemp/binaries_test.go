package pgtemp

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestSearch(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	mustInstall(t, root, "pg/9.6/bin", needed...)
	mustInstall(t, root, "pg/14/bin", needed...)
	mustInstall(t, root, "pg/15/bin", "initdb", "pg_ctl") // a client package: no server
	mustInstall(t, root, "path/half", "postgres")
	mustInstall(t, root, "path/whole", needed...)
	packages := []string{filepath.Join(root, "none/*/bin"), filepath.Join(root, "pg/*/bin")}

	tests := []struct {
		name     string
		path     []string
		packages []string
		want     string
	}{
		{"newest package, by number", nil, packages, "pg/14/bin"},
		{"PATH first", []string{"path/half", "path/whole"}, packages, "path/whole"},
		{"PATH without a server", []string{"path/half"}, packages, "pg/14/bin"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var path []string
			for _, dir := range tt.path {
				path = append(path, filepath.Join(root, dir))
			}
			got, err := search(path, tt.packages, needed)
			if err != nil || got != filepath.Join(root, tt.want) {
				t.Errorf("search: %q, %v, want %q", got, err, filepath.Join(root, tt.want))
			}
		})
	}
}

func TestSearchFindsNone(t *testing.T) {
	t.Parallel()
	_, err := search([]string{t.TempDir()}, []string{filepath.Join(t.TempDir(), "*")}, needed)
	if !errors.Is(err, ErrNoPostgres) {
		t.Fatalf("search: %v, want ErrNoPostgres", err)
	}
	if !strings.Contains(err.Error(), "apt-get install postgresql") {
		t.Errorf("%q does not say how to get one", err)
	}
}

func mustInstall(t *testing.T, root, dir string, programs ...string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Join(root, dir), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range programs {
		if err := os.WriteFile(filepath.Join(root, dir, name), nil, 0o755); err != nil {
			t.Fatal(err)
		}
	}
}
