package database_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

func TestBackup(t *testing.T) {
	t.Parallel()
	s := store(t)
	folder := t.TempDir()
	path := filepath.Join(folder, "it's a copy.db")
	if err := s.Backup(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	s.must("INSERT INTO t VALUES (2)")
	var n int
	if err := s.opened(path).QueryRow("SELECT count(*) FROM t").Scan(&n); err != nil || n != 1 {
		t.Errorf("the copy has %d rows (%v), want 1", n, err)
	}
	if err := s.Backup(t.Context(), path); !errors.Is(err, fs.ErrExist) {
		t.Errorf("over a file: %v", err)
	}
	ended, end := context.WithCancel(t.Context())
	end()
	if err := s.Backup(ended, filepath.Join(folder, "late.db")); err == nil {
		t.Error("a copy that was cancelled: no error")
	}
	if err := s.Backup(t.Context(), filepath.Join(folder, "missing", "copy.db")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("into a folder that does not exist: %v", err)
	}
	left, err := filepath.Glob(filepath.Join(folder, "*.part"))
	if _, late := os.Stat(filepath.Join(folder, "late.db")); err != nil || len(left) != 0 || late == nil {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
