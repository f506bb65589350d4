package dev_test

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"forge/internal/migrator/dev"
	"forge/test/dbtest"
)

// Diff names an edited file and says what to do, and works once that is done.
func TestHashAfterAnEdit(t *testing.T) {
	t.Parallel()
	dir, devURL := mustMakeDirs(t), dbtest.EmptyPostgres(t)
	written := mustDiff(t, dir, "init", devURL, newGuild().tables())
	if again, err := dev.Hash(dir); err != nil || again != nil {
		t.Errorf("Hash of what Diff wrote: %v, %v, want nothing to write", again, err)
	}
	i := slices.IndexFunc(written, func(path string) bool { return strings.Contains(path, "postgres") && strings.HasSuffix(path, ".sql") })
	edited := written[i]
	text, err := os.ReadFile(edited)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(edited, append([]byte("-- Reviewed.\n"), text...), 0o644); err != nil {
		t.Fatal(err)
	}
	_, err = dev.Diff(t.Context(), dir, "next", devURL, newGuild().tables().wanted(), dev.Answers{})
	for _, want := range []string{edited + " was edited", "`migrate hash`"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Diff: %v, want an error that says %q", err, want)
		}
	}
	sums, err := dev.Hash(dir)
	if want := []string{filepath.Join(dir, "postgres", "atlas.sum")}; err != nil || !slices.Equal(sums, want) {
		t.Errorf("Hash: %v, %v, want it to write %v", sums, err, want)
	}
	mustDiff(t, dir, "next", devURL, newGuild().tables())
}

func TestDiffNamesWhatChanged(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		spoil func(t *testing.T, file string)
		want  string
	}{
		{"a file less", func(t *testing.T, file string) { mustRemove(t, file) }, "_init.sql was removed"},
		{"a file more", func(t *testing.T, file string) {
			mustWrite(t, filepath.Join(filepath.Dir(file), "20200101000000_before.sql"), nothing)
		}, "20200101000000_before.sql was added"},
		{"no checksums", func(t *testing.T, file string) { mustRemove(t, filepath.Join(filepath.Dir(file), "atlas.sum")) }, "atlas.sum is missing"},
		{"no checksums in the file", func(t *testing.T, file string) {
			mustWrite(t, filepath.Join(filepath.Dir(file), "atlas.sum"), "nonsense\n")
		}, "atlas.sum is missing or not whole"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir, devURL := mustMakeDirs(t), dbtest.EmptyPostgres(t)
			written := mustDiff(t, dir, "init", devURL, newGuild().tables())
			tt.spoil(t, written[0])
			before := mustReadAll(t, dir)
			_, err := dev.Diff(t.Context(), dir, "next", devURL, newGuild().tables().wanted(), dev.Answers{})
			if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), "migrate hash") {
				t.Errorf("Diff: %v, want an error that says %q and what to do", err, tt.want)
			}
			if !maps.Equal(mustReadAll(t, dir), before) {
				t.Error("Diff wrote something")
			}
		})
	}
}

func TestHashRefuses(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, file, text string
		want             []string
	}{
		{"a version of one dialect", "postgres/20300101000000_more.sql", nothing, []string{"20300101000000_more.sql", "sqlite has not"}},
		{"a file of another form", "sqlite/fix.sql", nothing, []string{"fix.sql", "YYYYMMDDHHMMSS_name.sql"}},
		{"a file without marks", "sqlite/20300101000000_more.sql", "DROP TABLE heroes;\n", []string{"20300101000000_more.sql", "line 1"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := mustCopyFiles(t)
			mustWrite(t, filepath.Join(dir, tt.file), tt.text)
			before := mustReadAll(t, dir)
			_, err := dev.Hash(dir)
			for _, want := range tt.want {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("Hash: %v, want an error that says %q", err, want)
				}
			}
			if !maps.Equal(mustReadAll(t, dir), before) {
				t.Error("Hash wrote something")
			}
		})
	}
	if _, err := dev.Hash(t.TempDir()); err == nil || !strings.Contains(err.Error(), "postgres") {
		t.Errorf("Hash of a directory without migrations: %v, want an error that names what is missing", err)
	}
}

func mustRemove(t *testing.T, path string) {
	t.Helper()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
}

func mustWrite(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// A command outside of a source tree returns an error that says where to run it.
func TestOutsideOfASourceTree(t *testing.T) {
	t.Parallel()
	dir, devURL := t.TempDir(), dbtest.EmptyPostgres(t)
	_, diff := dev.Diff(t.Context(), dir, "next", devURL, newGuild().tables().wanted(), dev.Answers{})
	_, blank := dev.New(dir, "next")
	_, hash := dev.Hash(dir)
	for what, err := range map[string]error{"Diff": diff, "New": blank, "Hash": hash} {
		if err == nil || !strings.Contains(err.Error(), "postgres") || !strings.Contains(err.Error(), "source tree") {
			t.Errorf("%s: %v, want an error that says what is missing", what, err)
		}
	}
}
