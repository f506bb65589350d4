package dev_test

import (
	"maps"
	"os"
	"strings"
	"testing"

	"forge/internal/migrator/dev"
	"forge/test/dbtest"
)

// An empty version is the newest one, passes all checks, and changes nothing.
func TestNew(t *testing.T) {
	t.Parallel()
	dir, devURL := mustMakeDirs(t), dbtest.EmptyPostgres(t)
	mustDiff(t, dir, "init", devURL, newGuild().tables())
	paths, err := dev.New(dir, "fill_ranks")
	if err != nil || len(paths) != 4 {
		t.Fatalf("New: %v, %v, want a file and the checksums for each dialect", paths, err)
	}
	for i, path := range []string{paths[0], paths[2]} {
		text, err := os.ReadFile(path)
		if err != nil || !strings.HasSuffix(path, "_fill_ranks.sql") || !strings.Contains(string(text), "-- +goose Up\n") ||
			!strings.Contains(string(text), "-- +goose Down\n") {
			t.Errorf("%s holds %q, %v, want two empty sections", path, text, err)
		}
		if sums, err := os.ReadFile(paths[2*i+1]); err != nil || !strings.Contains(string(sums), "_fill_ranks.sql") {
			t.Errorf("%s is %s, %v, want the new file in it", paths[2*i+1], sums, err)
		}
	}
	if more := mustDiff(t, dir, "more", devURL, newGuild().tables()); more != nil {
		t.Errorf("Diff after New wrote %v, want nothing", more)
	}
}

func TestNewThatIsRefused(t *testing.T) {
	t.Parallel()
	dir, devURL := mustMakeDirs(t), dbtest.EmptyPostgres(t)
	written := mustDiff(t, dir, "init", devURL, newGuild().tables())
	for _, name := range []string{"", "Fill", "../fill", "fill ranks"} {
		if _, err := dev.New(dir, name); err == nil || !strings.Contains(err.Error(), "small letters") {
			t.Errorf("New(%q): %v, want an error that says what a name is", name, err)
		}
	}
	mustWrite(t, written[0], nothing+"-- edited\n")
	before := mustReadAll(t, dir)
	if _, err := dev.New(dir, "fill_ranks"); err == nil || !strings.Contains(err.Error(), "migrate hash") {
		t.Errorf("New: %v, want that a file was edited", err)
	}
	if after := mustReadAll(t, dir); !maps.Equal(before, after) {
		t.Errorf("it left %v, want %v", after, before)
	}
}
