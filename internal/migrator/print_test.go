package migrator_test

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"entgo.io/ent/dialect"

	"forge/internal/migrator"
	"forge/internal/migrator/migratortest"
	"forge/migrate"
	"forge/test/dbtest"
)

func printed(t *testing.T, name string, files fstest.MapFS, from, to int64, down bool) string {
	t.Helper()
	var out strings.Builder
	if err := (migratortest.Database{Dialect: name}).Source(files).SQL(&out, from, to, down); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// runScript runs a script in the way that its first line says.
func (db database) runScript(t *testing.T, script string) {
	t.Helper()
	program, args := "psql", []string{"-X", "-q", "-f", "-", db.URL}
	if path, ok := strings.CutPrefix(db.URL, "sqlite:"); ok {
		// Some builds of it have foreign keys on.
		program, args = "sqlite3", []string{"-cmd", "PRAGMA foreign_keys = on", path}
	}
	if _, err := exec.LookPath(program); err != nil {
		t.Skip(err)
	}
	cmd := exec.Command(program, args...)
	cmd.Stdin = strings.NewReader(script)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s\n%s", program, err, out, script)
	}
}

func TestPrintedVersions(t *testing.T) {
	t.Parallel()
	files := withThird(heroes())
	for _, tt := range []struct {
		from, to int64
		down     bool
		want     []string
	}{
		{0, 0, false, []string{"1", "2", "3"}},
		{20260101000001, 0, false, []string{"2", "3"}},
		{20260101000001, 20260101000002, false, []string{"2"}},
		{0, 20260101000001, false, []string{"1"}},
		{20260101000003, 0, false, nil},
		{0, 0, true, []string{"3", "2", "1"}},
		{20260101000002, 0, true, []string{"2", "1"}},
		{0, 20260101000002, true, []string{"3"}},
		{20260101000002, 20260101000001, true, []string{"2"}},
	} {
		for _, name := range []string{dialect.Postgres, dialect.SQLite} {
			var got []string
			for line := range strings.Lines(printed(t, name, files, tt.from, tt.to, tt.down)) {
				if version, ok := strings.CutPrefix(line, "-- 2026010100000"); ok {
					got = append(got, version[:1])
				}
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("from %d to %d, down %t: %v, want %v", tt.from, tt.to, tt.down, got, tt.want)
			}
		}
	}
}

func TestPrintedText(t *testing.T) {
	t.Parallel()
	files := withIndex()
	got := printed(t, dialect.Postgres, files, 20260101000001, 0, false)
	const want = `-- Run this with: psql -f SCRIPT DATABASE_URL
\set ON_ERROR_STOP on

-- 20260101000002_step
BEGIN;
ALTER TABLE heroes ADD COLUMN nickname text;
INSERT INTO goose_db_version (version_id, is_applied, checksum, serves) VALUES (20260101000002, true, 'SUM', 0);
COMMIT;

-- 20260101000003_index
CREATE UNIQUE INDEX CONCURRENTLY "hero_age" ON heroes (age);
INSERT INTO goose_db_version (version_id, is_applied, checksum, serves) VALUES (20260101000003, true, 'SUM', 0);
`
	for _, word := range strings.Split(got, "'") {
		if len(word) == 64 {
			got = strings.ReplaceAll(got, word, "SUM")
		}
	}
	if got != want {
		t.Errorf("it prints\n%s\nwant\n%s", got, want)
	}
}

// A database that a script has migrated has its versions recorded, and Up and Down continue from
// there.
func TestPrintedScriptsRun(t *testing.T) {
	t.Parallel()
	eachEmpty(t, func(t *testing.T, db database) {
		files := withThird(heroes())
		files["20260101000004_function.sql"] = &fstest.MapFile{Data: []byte("-- +goose Up\n-- +goose StatementBegin\nCREATE TABLE fourth\n(n integer)\n-- +goose StatementEnd\n-- +goose Down\nDROP TABLE fourth;")}
		states := func(what, state string, applied int) {
			t.Helper()
			report, err := db.Source(files).Status(t.Context(), db.DB)
			if err != nil {
				t.Fatal(err)
			}
			got := 0
			for _, s := range report.Versions {
				if s.Checksum == migrator.ChecksumOK {
					got++
				}
			}
			if got != applied {
				t.Errorf("%s: %d versions are applied with a checksum that is right, want %d", what, got, applied)
			}
			if err := report.Err(); (err == nil) != (state == "ok") || strings.Contains(state, "pending") && !strings.Contains(err.Error(), "lacks") {
				t.Errorf("%s: %v, want %s", what, err, state)
			}
		}
		db.runScript(t, printed(t, db.Dialect, files, 0, 20260101000002, false))
		states("a script up to the second", "pending", 2)
		db.runScript(t, printed(t, db.Dialect, files, 20260101000002, 0, false))
		states("a script for the rest", "ok", 4)
		if want := []string{"fourth", "heroes", "third"}; !slices.Equal(db.Tables(t), want) {
			t.Errorf("the tables are %v, want %v", db.Tables(t), want)
		}
		db.runScript(t, printed(t, db.Dialect, files, 0, 20260101000001, true))
		states("a script down to the first", "pending", 1)
		mustUp(t, db, files)
		states("Up", "ok", 4)
		db.runScript(t, printed(t, db.Dialect, files, 0, 0, true))
		states("a script down to nothing", "pending", 0)
		if got := db.Tables(t); len(got) > 0 {
			t.Errorf("the tables %v are left", got)
		}
		mustUp(t, db, files)
		if err := db.Source(files).Down(t.Context(), db.DB, 9, true, migrator.LockTimeout, discard); err != nil {
			t.Error(err)
		}
	})
}

// The script for the files of this build leads to the same schema as Up.
func TestPrintedScriptsOfThisBuild(t *testing.T) {
	t.Parallel()
	eachEmpty(t, func(t *testing.T, db database) {
		var up, down strings.Builder
		if err := migrator.New(migrate.Files, db.Dialect).SQL(&up, 0, 0, false); err != nil {
			t.Fatal(err)
		}
		if err := migrator.New(migrate.Files, db.Dialect).SQL(&down, 0, 0, true); err != nil {
			t.Fatal(err)
		}
		if err := migrator.New(migrate.Files, db.Dialect).Up(t.Context(), db.DB, discard); err != nil {
			t.Fatal(err)
		}
		want := db.everything(t)
		db.runScript(t, down.String())
		if got := db.Tables(t); len(got) > 0 {
			t.Errorf("the tables %v are left", got)
		}
		db.MustExec(t, "DROP TABLE goose_db_version")
		db.runScript(t, up.String())
		if got := db.everything(t); !slices.Equal(got, want) {
			t.Errorf("the script makes\n%q, want\n%q", got, want)
		}
		if err := migrator.New(migrate.Files, db.Dialect).Check(t.Context(), db.DB); err != nil {
			t.Error(err)
		}
	})
}

// A script that copies a table keeps the rows that refer to it.
func TestPrintedCopyOnSQLite(t *testing.T) {
	t.Parallel()
	db := mustOpen(t, dbtest.EmptySQLite(t))
	files := steps(parentAndChild, "-- +goose Up\nCREATE TABLE copy (id integer PRIMARY KEY, name text NOT NULL);\n"+
		"INSERT INTO copy SELECT id, name FROM parent;\nDROP TABLE parent;\nALTER TABLE copy RENAME TO parent;\n")
	db.runScript(t, printed(t, db.Dialect, files, 0, 0, false))
	if n := db.Count(t, "SELECT count(*) FROM child JOIN parent ON parent.id = parent_id"); n != 3 {
		t.Errorf("%d of 3 rows that refer to the copied table are left", n)
	}
}
