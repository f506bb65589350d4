package migrator_test

import (
	"errors"
	"strings"
	"testing"
	"testing/fstest"

	"forge/internal/migrator"
	"forge/internal/migrator/dev"
)

// step3 returns heroes with a third version whose up section begins with some lines.
func step3(lines string) fstest.MapFS {
	files := heroes()
	files["20260101000003_third.sql"] = &fstest.MapFile{Data: []byte("-- +goose Up\n" + lines +
		"ALTER TABLE heroes ADD COLUMN motto text;\n-- +goose Down\nALTER TABLE heroes DROP COLUMN motto;\n")}
	return files
}

// TestServes has builds of the first two versions look at a database that a newer build has
// migrated.
func TestServes(t *testing.T) {
	t.Parallel()
	first := heroes()
	delete(first, "20260101000002_step.sql")
	for _, tt := range []struct {
		name, lines   string
		first, second bool // whether the builds go on
		script        bool // a script applies the versions
	}{
		{"nothing acknowledged", "", true, true, false},
		{"a lock acknowledged", "-- lint:allow create-index heroes small\n", true, true, false},
		{"a breach acknowledged", "-- lint:allow drop-column heroes.age unused\n", false, false, false},
		{"for the last build", "-- lint:allow drop-column heroes.age unused\n-- forge:serves 20260101000002\n", false, true, false},
		{"by its name", "-- forge:serves step\n", false, true, false},
		{"by its name and number", "-- forge:serves 20260101000001_step\n", true, true, false},
		{"nothing acknowledged, by a script", "", true, true, true},
		{"for the last build, by a script", "-- lint:allow drop-column heroes.age unused\n-- forge:serves step\n", false, true, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			eachEmpty(t, func(t *testing.T, db database) {
				files := step3(tt.lines)
				if tt.script {
					db.runScript(t, printed(t, db.Dialect, files, 0, 0, false))
				} else if err := db.Source(files).Up(t.Context(), db.DB, discard); err != nil {
					t.Fatal(err)
				}
				for build, goesOn := range map[string]bool{"first": tt.first, "second": tt.second} {
					of := heroes()
					if build == "first" {
						of = first
					}
					source := db.Source(of)
					err := source.Check(t.Context(), db.DB)
					if _, newer := errors.AsType[*migrator.NewerError](err); goesOn != (err == nil) || goesOn == newer {
						t.Errorf("the %s build: %v", build, err)
					}
					if err := source.Up(t.Context(), db.DB, discard); err == nil {
						t.Errorf("the %s build may change the schema", build)
					}
				}
				if _, err := db.ExecContext(t.Context(), "ALTER TABLE heroes ADD COLUMN by_hand integer"); err != nil {
					t.Fatal(err)
				}
				// A script describes no schema, so that a change is not noticed.
				if err := db.Source(heroes()).Check(t.Context(), db.DB); !tt.script && (err == nil || !strings.Contains(err.Error(), "by_hand")) {
					t.Errorf("after a change by hand: %v", err)
				}
			})
		})
	}
}

// TestServesUnknown has a version that no build has recorded as suiting others: a build from before
// applied it.
func TestServesUnknown(t *testing.T) {
	t.Parallel()
	eachEmpty(t, func(t *testing.T, db database) {
		if err := db.Source(heroes()).Up(t.Context(), db.DB, discard); err != nil {
			t.Fatal(err)
		}
		if _, err := db.ExecContext(t.Context(), "ALTER TABLE goose_db_version DROP COLUMN serves"); err != nil {
			t.Fatal(err)
		}
		first := heroes()
		delete(first, "20260101000002_step.sql")
		if err := db.Source(first).Check(t.Context(), db.DB); err == nil {
			t.Error("a build goes on, and it is not known whether it can")
		}
		if err := db.Source(step3("")).Up(t.Context(), db.DB, discard); err != nil {
			t.Fatal(err)
		}
		if err := db.Source(heroes()).Check(t.Context(), db.DB); err != nil {
			t.Errorf("after a version that says that it suits: %v", err)
		}
	})
}

// TestServesBad names versions that are none before the file.
func TestServesBad(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"", "third", "20260101000003", "nothing", "20260101000002_other"} {
		files := step3("-- forge:serves " + name + "\n")
		if _, err := migrator.ServedAfter(files, 20260101000003); err == nil || !strings.Contains(err.Error(), "no version before it") {
			t.Errorf("%q: %v", name, err)
		}
	}
	eachEmpty(t, func(t *testing.T, db database) {
		if err := db.Source(step3("-- forge:serves nothing\n")).Up(t.Context(), db.DB, discard); err == nil {
			t.Error("applied")
		}
	})
	for _, rule := range migrator.Breaking() {
		if !strings.Contains(strings.Join(dev.Rules(), " ")+" ", rule+" ") {
			t.Errorf("%s is no rule of lint", rule)
		}
	}
}
