package dev_test

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"forge/internal/migrator/dev"
	"forge/test/dbtest"
)

// TestBegin replaces a history of several versions by one that gives the same schema.
func TestBegin(t *testing.T) {
	t.Parallel()
	dir, devURL, g := mustMakeDirs(t), dbtest.EmptyPostgres(t), newGuild()
	mustDiff(t, dir, "init", devURL, g.tables())
	if _, err := dev.New(dir, "nothing"); err != nil {
		t.Fatal(err)
	}
	begun, err := dev.Begin(t.Context(), dir, devURL, g.tables().wanted(), false)
	if err != nil || len(begun.Removed) != 4 || len(begun.Paths) != 4 {
		t.Fatalf("Begin: %+v, %v, want four files removed and four written", begun, err)
	}
	for _, d := range dirs {
		if found, _ := filepath.Glob(filepath.Join(dir, d, "*")); len(found) != 2 {
			t.Errorf("there are %v, want one version and the checksums", found)
		}
	}
	if more := mustDiff(t, dir, "more", devURL, g.tables()); more != nil {
		t.Errorf("Diff after Begin wrote %v, want nothing", more)
	}
	eachEmpty(t, func(t *testing.T, db database) { mustUp(t, db, os.DirFS(filepath.Join(dir, dirs[db.Dialect]))) })
}

// TestBeginLoses tries to lose what only the old files have.
func TestBeginLoses(t *testing.T) {
	t.Parallel()
	dir, devURL, g := mustMakeDirs(t), dbtest.EmptyPostgres(t), newGuild()
	mustDiff(t, dir, "init", devURL, g.tables())
	paths, err := dev.New(dir, "by_hand")
	if err != nil {
		t.Fatal(err)
	}
	table := g.tables()[0].Name
	mustWrite(t, paths[0], "-- +goose Up\nCREATE VIEW seen AS SELECT * FROM "+table+";\n-- +goose Down\nDROP VIEW seen;\n")
	mustWrite(t, paths[2], "-- +goose Up\nCREATE TRIGGER never AFTER DELETE ON "+table+" BEGIN SELECT 1; END;\n-- +goose Down\nDROP TRIGGER never;\n")
	if _, err := dev.Hash(dir); err != nil {
		t.Fatal(err)
	}
	before := mustReadAll(t, dir)
	_, err = dev.Begin(t.Context(), dir, devURL, g.tables().wanted(), false)
	var loss *dev.LossError
	if !errors.As(err, &loss) || len(loss.Lost) != 2 || !strings.Contains(err.Error(), "seen") || !strings.Contains(err.Error(), "never") {
		t.Errorf("Begin: %v, want that a view and a trigger would be lost", err)
	}
	if after := mustReadAll(t, dir); !maps.Equal(before, after) {
		t.Errorf("it left %v, want %v", after, before)
	}
	if _, err := dev.Begin(t.Context(), dir, devURL, g.tables().wanted(), true); err != nil {
		t.Errorf("although something is lost: %v", err)
	}
	if _, err := dev.Begin(t.Context(), t.TempDir(), devURL, g.tables().wanted(), false); err == nil || !strings.Contains(err.Error(), "top of a source tree") {
		t.Errorf("elsewhere: %v", err)
	}
}
