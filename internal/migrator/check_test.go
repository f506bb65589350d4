package migrator_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
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

// heroes returns two versions that can be undone.
func heroes() fstest.MapFS {
	return steps(`-- +goose Up
CREATE TABLE heroes (
  id integer PRIMARY KEY,
  name text NOT NULL,
  age integer NOT NULL DEFAULT 1,
  CONSTRAINT heroes_age CHECK (age >= 0)
);
CREATE INDEX hero_name ON heroes (name);
-- +goose Down
DROP TABLE heroes;
`, `-- +goose Up
ALTER TABLE heroes ADD COLUMN nickname text;
-- +goose Down
ALTER TABLE heroes DROP COLUMN nickname;
`)
}

// withThird adds a third version, which must not be applied.
func withThird(files fstest.MapFS) fstest.MapFS {
	files["20260101000003_step.sql"] = &fstest.MapFile{Data: []byte("-- +goose Up\nCREATE TABLE third (n integer);\n-- +goose Down\nDROP TABLE third;\n")}
	return files
}

// refused checks that Up and Down change nothing, and that the reason is an E that contains all of
// words.
func refused[E error](t *testing.T, db database, files fs.FS, words ...string) {
	t.Helper()
	before := db.everything(t)
	for what, run := range map[string]func() error{
		"Check": func() error { return db.Source(files).Check(t.Context(), db.DB) },
		"Up":    func() error { return db.Source(files).Up(t.Context(), db.DB, discard) },
		"Down":  func() error { return db.Source(files).Down(t.Context(), db.DB, 1, true, migrator.LockTimeout, discard) },
	} {
		err := run()
		if _, ok := errors.AsType[*migrator.Refusal](err); !ok {
			t.Errorf("%s: %v, want a Refusal", what, err)
			continue
		}
		if _, ok := errors.AsType[E](err); !ok {
			t.Errorf("%s: %v, want a %T", what, err, *new(E))
		}
		for _, word := range words {
			if !strings.Contains(err.Error(), word) {
				t.Errorf("%s: %q does not say %q", what, err, word)
			}
		}
	}
	if after := db.everything(t); !slices.Equal(before, after) {
		t.Errorf("the refused commands changed\n%q\nto\n%q", before, after)
	}
}

// everything returns the whole schema of a database, and the versions that it records.
func (db database) everything(t *testing.T) (all []string) {
	t.Helper()
	query := `SELECT table_name || ' ' || column_name || ' ' || is_nullable || coalesce(column_default, '') FROM information_schema.columns WHERE table_schema = 'public'
		UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'
		UNION ALL SELECT conname || ' ' || pg_get_constraintdef(oid) FROM pg_constraint WHERE connamespace = 'public'::regnamespace ORDER BY 1`
	if db.Dialect == dialect.SQLite {
		query = "SELECT coalesce(sql, name) FROM sqlite_master ORDER BY 1"
	}
	all = db.texts(t, query)
	if slices.ContainsFunc(all, func(s string) bool { return strings.Contains(s, "goose_db_version") }) {
		all = append(all, db.texts(t, "SELECT CAST(version_id AS text) FROM goose_db_version ORDER BY id")...)
	}
	return all
}

// texts returns the only column that query selects.
func (db database) texts(t *testing.T, query string) (all []string) {
	t.Helper()
	rows, err := db.QueryContext(context.WithoutCancel(t.Context()), query)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer rows.Close()
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			t.Fatal(err)
		}
		all = append(all, text)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

func TestRefusedForTheFiles(t *testing.T) {
	t.Parallel()
	eachEmpty(t, func(t *testing.T, db database) {
		files := heroes()
		mustUp(t, db, files)
		if err := db.Source(files).Check(t.Context(), db.DB); err != nil {
			t.Fatalf("Check: %v", err)
		}
		const first, second = "20260101000001_step.sql", "20260101000002_step.sql"

		changed := withThird(heroes())
		changed[second] = &fstest.MapFile{Data: append([]byte("-- now with a comment\n"), changed[second].Data...)}
		refused[*migrator.ChangedError](t, db, changed, second+" changed")

		missing := withThird(heroes())
		delete(missing, first)
		refused[*migrator.MissingError](t, db, missing, "20260101000001", "no file")

		// The second version must not say that the build before it goes on; see TestServes.
		if _, err := db.ExecContext(t.Context(), "UPDATE goose_db_version SET serves = version_id WHERE version_id = 20260101000002"); err != nil {
			t.Fatal(err)
		}
		newer := heroes()
		delete(newer, second)
		refused[*migrator.NewerError](t, db, newer, "newer than this build", "20260101000002")

		late := withThird(heroes())
		late["20260101000000_late.sql"] = late["20260101000003_step.sql"]
		refused[*migrator.OrderError](t, db, late, "20260101000000_late", "20260101000002_step")

		// All that is wrong is said at once.
		delete(late, first)
		late[second] = changed[second]
		refused[*migrator.OrderError](t, db, late, "20260101000000_late", "20260101000001", second+" changed")

		if err := db.Source(files).Check(t.Context(), db.DB); err != nil {
			t.Errorf("Check at the end: %v", err)
		}
	})
}

func TestPendingIsNoRefusal(t *testing.T) {
	t.Parallel()
	eachEmpty(t, func(t *testing.T, db database) {
		mustUp(t, db, heroes())
		err := db.Source(withThird(heroes())).Check(t.Context(), db.DB)
		if pending, ok := errors.AsType[*migrator.PendingError](err); !ok || len(pending.Versions) != 1 || pending.Versions[0].Number != 20260101000003 {
			t.Errorf("Check: %v, want a PendingError for the third", err)
		}
	})
}

// Each change by hand is named in the error, and refused.
func TestDriftIsRefused(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name             string
		postgres, sqlite []string
		says             []string
	}{
		{"an index dropped", []string{"DROP INDEX hero_name"}, nil, []string{"missing", "hero_name"}},
		{"an index added", []string{"CREATE INDEX hero_age ON heroes (age)"}, nil, []string{"unexpected", "hero_age"}},
		{"an index changed", []string{"DROP INDEX hero_name", "CREATE UNIQUE INDEX hero_name ON heroes (name)"}, nil, []string{"changed", "hero_name"}},
		{"a column added", []string{"ALTER TABLE heroes ADD COLUMN secret text"}, nil, []string{"unexpected", "secret"}},
		{"a column dropped", []string{"ALTER TABLE heroes DROP COLUMN nickname"}, nil, []string{"missing", "nickname"}},
		{"a column renamed", []string{"ALTER TABLE heroes RENAME COLUMN nickname TO alias"}, nil, []string{"missing", "nickname", "unexpected", "alias"}},
		{"a table dropped", []string{"DROP TABLE heroes"}, nil, []string{"left it: missing: table heroes"}},
		{"a table renamed", []string{"ALTER TABLE heroes RENAME TO people"}, nil, []string{"left it: missing: table heroes"}},
		{"a default changed", []string{"ALTER TABLE heroes ALTER age SET DEFAULT 2"}, rebuilt("DEFAULT 1", "DEFAULT 2"), []string{"age", "2"}},
		{"a check changed", []string{"ALTER TABLE heroes DROP CONSTRAINT heroes_age", "ALTER TABLE heroes ADD CONSTRAINT heroes_age CHECK (age >= 5)"},
			rebuilt("age >= 0", "age >= 5"), []string{"heroes_age", "5"}},
		{"a check dropped", []string{"ALTER TABLE heroes DROP CONSTRAINT heroes_age"},
			rebuilt(", CONSTRAINT heroes_age CHECK (age >= 0)", ""), []string{"heroes_age"}},
		{"NOT NULL dropped", []string{"ALTER TABLE heroes ALTER name DROP NOT NULL"}, rebuilt("name text NOT NULL", "name text"), []string{"name"}},
		{"a type changed", []string{"ALTER TABLE heroes ALTER age TYPE bigint"}, rebuilt("age integer", "age bigint"), []string{"age", "bigint"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			eachEmpty(t, func(t *testing.T, db database) {
				mustUp(t, db, heroes())
				statements := tt.postgres
				if db.Dialect == dialect.SQLite && tt.sqlite != nil {
					statements = tt.sqlite
				}
				for _, s := range statements {
					db.MustExec(t, s)
				}
				refused[*migrator.DriftError](t, db, withThird(heroes()), append(tt.says, "20260101000002_step left it")...)
			})
		})
	}
}

// rebuilt returns the statements that change the definition of the table heroes on SQLite.
func rebuilt(old, new string) []string {
	const table = `CREATE TABLE copy (id integer PRIMARY KEY, name text NOT NULL, age integer NOT NULL DEFAULT 1, nickname text, CONSTRAINT heroes_age CHECK (age >= 0))`
	if !strings.Contains(table, old) {
		panic(old)
	}
	return []string{strings.Replace(table, old, new, 1), "INSERT INTO copy SELECT id, name, age, nickname FROM heroes", "DROP TABLE heroes",
		"ALTER TABLE copy RENAME TO heroes", "CREATE INDEX hero_name ON heroes (name)"}
}

// A table that no version made may be added, changed and dropped. It may also have been there
// first.
func TestForeignTablesAreNobodysBusiness(t *testing.T) {
	t.Parallel()
	eachEmpty(t, func(t *testing.T, db database) {
		db.MustExec(t, "CREATE TABLE theirs (n integer)")
		files := heroes()
		mustUp(t, db, files)
		for _, statement := range []string{"ALTER TABLE theirs ADD COLUMN more text", "CREATE TABLE others (n integer)", "CREATE INDEX theirs_n ON theirs (n)",
			"DROP TABLE theirs", "DROP TABLE others"} {
			db.MustExec(t, statement)
			if err := db.Source(files).Check(t.Context(), db.DB); err != nil {
				t.Errorf("Check after %q: %v", statement, err)
			}
		}
		mustUp(t, db, withThird(files))
	})
}

// A description by another version of PostgreSQL, or in another format, is not drift.
func TestDriftIsNotKnown(t *testing.T) {
	t.Parallel()
	eachEmpty(t, func(t *testing.T, db database) {
		files := heroes()
		mustUp(t, db, files)
		db.MustExec(t, "ALTER TABLE heroes ADD COLUMN secret text")
		for what, statement := range map[string]string{
			"another server":   "UPDATE goose_db_version SET schema = replace(replace(schema, 'PostgreSQL', 'PostgreSQL 1'), 'SQLite', 'SQLite 1')",
			"another format":   "UPDATE goose_db_version SET schema = replace(schema, 'format ', 'format 9')",
			"nothing recorded": "UPDATE goose_db_version SET schema = NULL",
		} {
			before := db.texts(t, "SELECT coalesce(schema, '') FROM goose_db_version WHERE version_id = 20260101000002")
			db.MustExec(t, statement)
			report, err := db.Source(files).Status(t.Context(), db.DB)
			if err != nil {
				t.Fatal(err)
			}
			if report.Drift.NotCompared == "" || report.Drift.Lines != nil {
				t.Errorf("%s: %+v, want no comparison", what, report.Drift)
			}
			if err := report.Err(); err != nil {
				t.Errorf("%s: %v", what, err)
			}
			if _, err := db.Exec("UPDATE goose_db_version SET schema = $1 WHERE version_id = 20260101000002", before[0]); err != nil {
				t.Fatal(err)
			}
			refused[*migrator.DriftError](t, db, files, "secret")
		}
	})
}

// Up records the schema that a script could not record. From then on a change by hand is seen.
func TestUpNotesWhatAScriptLeft(t *testing.T) {
	t.Parallel()
	eachEmpty(t, func(t *testing.T, db database) {
		files := heroes()
		mustUp(t, db, files)
		for what, statement := range map[string]string{
			"a script":       "UPDATE goose_db_version SET schema = NULL",
			"another server": "UPDATE goose_db_version SET schema = replace(replace(schema, 'PostgreSQL', 'PostgreSQL 1'), 'SQLite', 'SQLite 1')",
			"an older build": "ALTER TABLE goose_db_version DROP COLUMN schema",
		} {
			db.MustExec(t, statement)
			if what == "an older build" {
				db.MustExec(t, "ALTER TABLE goose_db_version DROP COLUMN checksum")
			}
			var log bytes.Buffer
			for range 2 { // the second has nothing to do
				if err := db.Source(files).Up(t.Context(), db.DB, logTo(&log)); err != nil {
					t.Fatal(err)
				}
			}
			if n := strings.Count(log.String(), "wrote down what the schema is"); n != 1 || strings.Contains(log.String(), "applied") {
				t.Errorf("%s: it says so %d times, want once:\n%s", what, n, &log)
			}
			db.MustExec(t, "DROP INDEX hero_name")
			refused[*migrator.DriftError](t, db, files, "missing: index heroes.hero_name")
			db.MustExec(t, "CREATE INDEX hero_name ON heroes (name)")
		}
		// With a version to come, that one writes it down.
		db.MustExec(t, "UPDATE goose_db_version SET schema = NULL")
		if err := db.Source(withThird(files)).UpTo(t.Context(), db.DB, 20260101000002, migrator.LockTimeout, discard); err != nil {
			t.Fatal(err)
		}
		if n := db.Count(t, "SELECT count(schema) FROM goose_db_version"); n != 0 {
			t.Errorf("%d descriptions, want none", n)
		}
	})
}

// A database that an older build has migrated gets the further columns with the next version.
func TestOlderTableOfVersions(t *testing.T) {
	t.Parallel()
	eachEmpty(t, func(t *testing.T, db database) {
		files := heroes()
		mustUp(t, db, files)
		for _, column := range []string{"checksum", "schema"} {
			db.MustExec(t, "ALTER TABLE goose_db_version DROP COLUMN "+column)
		}
		report, err := db.Source(files).Status(t.Context(), db.DB)
		if err != nil {
			t.Fatal(err)
		}
		if err := report.Err(); err != nil || report.Drift.NotCompared == "" || report.Versions[1].Checksum != migrator.ChecksumNotKnown {
			t.Errorf("Check: %v, drift %+v, checksum %s; want nil and nothing known", err, report.Drift, report.Versions[1].Checksum)
		}
		mustUp(t, db, withThird(files))
		if n := db.Count(t, "SELECT count(*) FROM goose_db_version WHERE checksum IS NULL AND schema IS NULL"); n != 3 {
			t.Errorf("%d versions are not known, want the two from before and goose's own", n)
		}
		db.MustExec(t, "DROP INDEX hero_name")
		refused[*migrator.DriftError](t, db, files, "hero_name")
	})
}

// Once a version is undone, its schema is not expected any more.
func TestDriftAfterDown(t *testing.T) {
	t.Parallel()
	eachEmpty(t, func(t *testing.T, db database) {
		files := heroes()
		mustUp(t, db, files)
		if err := db.Source(files).Down(t.Context(), db.DB, 1, true, migrator.LockTimeout, discard); err != nil {
			t.Fatal(err)
		}
		err := db.Source(files).Check(t.Context(), db.DB)
		if _, ok := errors.AsType[*migrator.PendingError](err); !ok {
			t.Errorf("Check: %v, want a PendingError", err)
		}
		db.MustExec(t, "ALTER TABLE heroes ADD COLUMN nickname text") // by hand
		refused[*migrator.DriftError](t, db, files, "nickname", "20260101000001_step left it")
	})
}

// BenchmarkCheck measures a health check, which runs every second.
func BenchmarkCheck(b *testing.B) {
	for name, url := range map[string]string{"sqlite": dbtest.SQLite(b), "postgres": dbtest.Postgres(b)} {
		b.Run(name, func(b *testing.B) {
			db, err := migratortest.Open(url)
			if err != nil {
				b.Fatal(err)
			}
			defer db.Close()
			for b.Loop() {
				if err := migrator.New(migrate.Files, db.Dialect).Check(b.Context(), db.DB); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
