package migrator_test

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"forge/internal/migrator"
	"forge/test/dbtest"
)

// A down section that leaves another schema than was there before is rolled back, and the down
// sections after it do not run.
func TestDownThatDoesNotRestore(t *testing.T) {
	t.Parallel()
	eachEmpty(t, func(t *testing.T, db database) {
		for _, tt := range []struct {
			name, first, up, down string
			says                  []string
		}{
			{"a column stays", "", "ALTER TABLE heroes ADD COLUMN motto text;", "SELECT 1;",
				[]string{"20260101000002_step left: unexpected: column heroes.motto text"}},
			{"there is no down section", "", "ALTER TABLE heroes ADD COLUMN motto text;", "",
				[]string{"20260101000002_step left: unexpected: column heroes.motto text"}},
			{"a table stays", "", "CREATE TABLE more (n integer);", "SELECT 1;", []string{"unexpected: table more"}},
			{"a copy stays", "", "SELECT 1;", "CREATE TABLE new_heroes (n integer);", []string{"unexpected: table new_heroes"}},
			{"an index does not come back", "", "DROP INDEX hero_name;", "SELECT 1;", []string{"missing: index heroes.hero_name"}},
			{"too much goes", "", "SELECT 1;", "ALTER TABLE heroes DROP COLUMN nickname;", []string{"missing: column heroes.nickname"}},
			{"the first version leaves its table", "only", "CREATE TABLE heroes (n integer);", "SELECT 1;",
				[]string{"what there was before it: unexpected: table heroes"}},
		} {
			files, n := withThird(heroes()), 3
			last := "20260101000003_step.sql"
			if tt.first == "only" {
				files, n, last = fstest.MapFS{}, 1, "20260101000001_step.sql"
			}
			text := "-- +goose Up\n" + tt.up
			if tt.down != "" {
				text += "\n-- +goose Down\n" + tt.down
			}
			files[last] = &fstest.MapFile{Data: []byte(text)}
			mustUp(t, db, files)
			before := db.everything(t)
			for count := 1; count <= n; count++ {
				err := db.Source(files).Down(t.Context(), db.DB, count, true, migrator.LockTimeout, discard)
				if _, ok := errors.AsType[*migrator.RestoreError](err); !ok {
					t.Fatalf("%s: down %d: %v, want a RestoreError", tt.name, count, err)
				}
				for _, want := range append(tt.says, last+": its down section ran, but", "was kept", "migrate sql --down") {
					if !strings.Contains(err.Error(), want) {
						t.Errorf("%s: %q does not say %q", tt.name, err, want)
					}
				}
				if after := db.everything(t); !slices.Equal(before, after) {
					t.Fatalf("%s: it left\n%q, want\n%q", tt.name, after, before)
				}
			}
			if err := db.Source(files).Check(t.Context(), db.DB); err != nil {
				t.Errorf("%s: Check: %v", tt.name, err)
			}
			// For the next case: by hand, as the error says.
			for _, table := range append(db.Tables(t), "goose_db_version") {
				db.MustExec(t, "DROP TABLE "+table)
			}
		}
	})
}

// If a script applied the version before, its schema is not known and nothing is compared.
func TestDownToWhatIsNotKnown(t *testing.T) {
	t.Parallel()
	eachEmpty(t, func(t *testing.T, db database) {
		files := heroes()
		mustUp(t, db, files)
		db.MustExec(t, "UPDATE goose_db_version SET schema = NULL WHERE version_id = 20260101000001")
		if err := db.Source(files).Down(t.Context(), db.DB, 1, true, migrator.LockTimeout, discard); err != nil {
			t.Fatal(err)
		}
		if n := db.Count(t, "SELECT count(*) FROM goose_db_version WHERE version_id > 0"); n != 1 {
			t.Errorf("%d versions are left, want 1", n)
		}
	})
}

// A step outside of a transaction cannot be rolled back. The version counts as undone, and the
// error says so.
func TestDownOutsideThatDoesNotRestore(t *testing.T) {
	t.Parallel()
	db := mustOpen(t, dbtest.EmptyPostgres(t))
	files := heroes()
	files["20260101000003_step.sql"] = &fstest.MapFile{Data: []byte("-- +goose NO TRANSACTION\n-- +goose Up\nCREATE INDEX CONCURRENTLY hero_age ON heroes (age);\n" +
		"-- +goose Down\nDROP INDEX CONCURRENTLY hero_name;\n")}
	mustUp(t, db, files)
	var log bytes.Buffer
	err := db.Source(files).Down(t.Context(), db.DB, 2, true, migrator.LockTimeout, logTo(&log))
	if _, ok := errors.AsType[*migrator.RestoreError](err); !ok {
		t.Fatalf("down: %v, want a RestoreError", err)
	}
	for _, want := range []string{"unexpected: index heroes.hero_age", "missing: index heroes.hero_name", "outside of a transaction", "the version is undone"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q does not say %q", err, want)
		}
	}
	if n := strings.Count(log.String(), `msg="undid migration"`); n != 1 {
		t.Errorf("%d steps are logged, want the one that ran:\n%s", n, &log)
	}
	if newest := db.Count(t, "SELECT max(version_id) FROM goose_db_version"); newest != 20260101000002 {
		t.Errorf("the newest version is %d", newest)
	}
	db.MustExec(t, "DROP INDEX hero_age")
	db.MustExec(t, "CREATE INDEX hero_name ON heroes (name)")
	mustUp(t, db, files)
}

// Each step is logged when it is committed, not at the end: the second step waits here until the
// first is logged.
func TestStepsAreLoggedAsTheyAreDone(t *testing.T) {
	t.Parallel()
	db := mustOpen(t, dbtest.EmptyPostgres(t))
	holder, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer holder.Rollback()
	if _, err := holder.Exec("SELECT pg_advisory_xact_lock(7)"); err != nil {
		t.Fatal(err)
	}
	files := steps("-- +goose Up\nCREATE TABLE a (n integer);", "-- +goose Up\nSELECT pg_advisory_xact_lock(7);")
	log := waitFor("20260101000001_step.sql")
	done := make(chan error, 1)
	go func() {
		done <- db.Source(files).UpTo(t.Context(), db.DB, 20260101000002, 0, logTo(log))
	}()
	select {
	case <-log.came:
	case err := <-done:
		t.Fatalf("up ended: %v", err)
	}
	if err := holder.Rollback(); err != nil {
		t.Error(err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
	if !strings.Contains(log.String(), `msg="applied migration" file=20260101000002_step.sql`) {
		t.Errorf("the second is not logged:\n%s", log)
	}
}
