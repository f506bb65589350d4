package dev_test

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"entgo.io/ent/schema/field"

	"forge/internal/migrator/dev"
	"forge/internal/schema"
	"forge/internal/usage"
	"forge/test/dbtest"
)

// TestFold joins two working versions into one. A database that has them goes on with that one, and
// a new one gets the same schema.
func TestFold(t *testing.T) {
	t.Parallel()
	dir, devURL, g := mustMakeDirs(t), dbtest.EmptyPostgres(t), newGuild()
	mustDiff(t, dir, "init", devURL, g.tables())
	if _, err := dev.Fold(t.Context(), dir, "more", devURL, g.tables().wanted(), dev.Answers{}); !isUsage(err) {
		t.Errorf("Fold of nothing: %v", err)
	}
	for _, name := range []string{"charm", "luck"} {
		g.heroes.Columns = append(g.heroes.Columns, &schema.Column{Name: name, Type: field.TypeInt32, Nullable: true})
		mustDiff(t, dir, dev.Working, devURL, g.tables())
	}
	old, before := t.TempDir(), mustReadAll(t, dir)
	if err := os.CopyFS(old, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	if _, err := dev.Fold(t.Context(), dir, "More", devURL, g.tables().wanted(), dev.Answers{}); !isUsage(err) || !maps.Equal(before, mustReadAll(t, dir)) {
		t.Errorf("Fold with a bad name: %v, want a mistake, and the files as they were", err)
	}
	folded, err := dev.Fold(t.Context(), dir, "more", devURL, g.tables().wanted(), dev.Answers{})
	if err != nil || len(folded.Gone) != 1 || len(folded.Removed) != 4 {
		t.Fatalf("Fold: %+v, %v, want one version for two", folded, err)
	}
	for _, d := range dirs {
		found, _ := filepath.Glob(filepath.Join(dir, d, "*.sql"))
		if len(found) != 2 || !strings.HasSuffix(found[1], "_more.sql") {
			t.Errorf("there are %v, want init and more", found)
		}
	}
	if more := mustDiff(t, dir, "rest", devURL, g.tables()); more != nil {
		t.Errorf("Diff after Fold wrote %v, want nothing", more)
	}
	eachEmpty(t, func(t *testing.T, db database) {
		folder := os.DirFS(filepath.Join(dir, dirs[db.Dialect]))
		mustUp(t, db, os.DirFS(filepath.Join(old, dirs[db.Dialect])))
		if err := db.Source(folder).Check(t.Context(), db.DB); err == nil {
			t.Error("a database that was not told has no fault with the folded file")
		}
		if had, err := db.Source(folder).Fold(t.Context(), db.DB, folded.Gone, folded.Version); err != nil || !had {
			t.Fatalf("Fold: %t, %v", had, err)
		}
		if err := db.Source(folder).Check(t.Context(), db.DB); err != nil {
			t.Errorf("after Fold: %v", err)
		}
	})
	t.Run("anew", func(t *testing.T) {
		eachEmpty(t, func(t *testing.T, db database) { mustUp(t, db, os.DirFS(filepath.Join(dir, dirs[db.Dialect]))) })
	})
}

func isUsage(err error) bool {
	var mistake *usage.Error
	return errors.As(err, &mistake)
}
