package dev_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"entgo.io/ent/dialect"
	"entgo.io/ent/schema/field"

	entmigrate "forge/ent/migrate"
	"forge/internal/migrator/dev"
	"forge/internal/migrator/migratortest"
	"forge/internal/schema"
	"forge/test/dbtest"
)

func mustVerify(t *testing.T, dir string, want tables) []dev.Verdict {
	t.Helper()
	verdicts, err := dev.Verify(t.Context(), dir, dbtest.EmptyPostgres(t), want.wanted())
	if err != nil {
		t.Fatal(err)
	}
	return verdicts
}

// eachDialect runs test for both dialects, or for one.
func eachDialect(t *testing.T, only string, test func(t *testing.T, name string)) {
	for name, d := range dirs {
		if only == "" || only == name {
			t.Run(d, func(t *testing.T) { test(t, name) })
		}
	}
}

func mustVerifyFiles(t *testing.T, name, path string) []dev.Verdict {
	t.Helper()
	devURL := ""
	if name == dialect.Postgres {
		devURL = dbtest.EmptyPostgres(t)
	}
	verdicts, err := dev.VerifyFiles(t.Context(), name, path, devURL)
	if err != nil {
		t.Fatal(err)
	}
	return verdicts
}

// wantNone reports all faults and notes.
func wantNone(t *testing.T, verdicts []dev.Verdict) {
	t.Helper()
	for _, v := range verdicts {
		if v.Faults != nil || v.Notes != nil {
			t.Errorf("%s", v)
		}
	}
}

// mustWriteSteps writes the same files for both databases.
func mustWriteSteps(t *testing.T, dir string, texts ...string) {
	t.Helper()
	for name, f := range migratortest.Steps(texts...) {
		for _, d := range dirs {
			if err := os.WriteFile(filepath.Join(dir, d, name), f.Data, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestVerifyOurFiles(t *testing.T) {
	t.Parallel()
	verdicts, err := dev.Verify(t.Context(), ourFiles, dbtest.EmptyPostgres(t), tables(entmigrate.Tables).wanted())
	if err != nil {
		t.Fatal(err)
	}
	wantNone(t, verdicts)
	for _, v := range verdicts {
		if strings.HasSuffix(v.Path, "_idempotency_keys.sql") && v.Good != "up, down and up with 21 rows" {
			t.Errorf("%s: %q, want 3 rows in each of 7 tables", v.Path, v.Good)
		}
	}
}

// squads is the first version of the tests of TestVerifyFinds.
const squads = `-- +goose Up
CREATE TABLE squads (id integer NOT NULL, PRIMARY KEY (id));
CREATE TABLE members (id integer NOT NULL, name text NOT NULL, city text NULL, rank integer NOT NULL DEFAULT 3, squad_id integer NOT NULL,
  PRIMARY KEY (id), CONSTRAINT members_squads FOREIGN KEY (squad_id) REFERENCES squads (id), CONSTRAINT members_rank CHECK (rank >= 1));
CREATE UNIQUE INDEX member_name ON members (name);
-- +goose Down
DROP TABLE members;
DROP TABLE squads;
`

// copied returns a change of the table members by copying it; insert fills the copy.
func copied(table, insert string) string {
	return "CREATE TABLE new_members (" + table + ");\n" + insert + "DROP TABLE members;\nALTER TABLE new_members RENAME TO members;\n" +
		"CREATE UNIQUE INDEX member_name ON members (name);\n"
}

func TestVerifyFinds(t *testing.T) {
	t.Parallel()
	const whole = `id integer NOT NULL, name text NOT NULL, city text NULL, rank integer NOT NULL DEFAULT 3, squad_id integer NOT NULL,
  PRIMARY KEY (id), CONSTRAINT members_squads FOREIGN KEY (squad_id) REFERENCES squads (id), CONSTRAINT members_rank CHECK (rank >= 1)`
	const all = "INSERT INTO new_members SELECT * FROM members;\n"
	without := func(part string) string { return strings.Replace(whole, part, "", 1) }
	tests := []struct {
		name, up, down string
		only           string   // the one dialect that this is about
		want           []string // in the faults; none are wanted if it is empty
	}{
		{name: "nothing", up: "SELECT 1;", down: "SELECT 1;"},
		{name: "a copy that keeps all", up: copied(whole, all), down: copied(whole, all), only: dialect.SQLite},
		{name: "a column that down leaves", up: "ALTER TABLE members ADD COLUMN motto text NULL;", down: "SELECT 1;",
			want: []string{"down does not restore the schema", "unexpected: column members.motto text"}},
		{name: "no down section", up: "ALTER TABLE members ADD COLUMN motto text NULL;",
			want: []string{"down does not restore the schema", "unexpected: column members.motto text"}},
		{name: "an index that does not come back", up: "DROP INDEX member_name;", down: "SELECT 1;",
			want: []string{"down does not restore the schema", "missing: index members.member_name UNIQUE"}},
		{name: "an index that comes back otherwise", up: "DROP INDEX member_name;", down: "CREATE INDEX member_name ON members (name);",
			want: []string{"down does not restore the schema", "missing: index members.member_name UNIQUE", "unexpected: index members.member_name"}},
		{name: "a column that does not come back", up: "-- lint:allow drop-column members.city unused\nALTER TABLE members DROP COLUMN city;", down: "SELECT 1;",
			want: []string{"down does not restore the schema", "missing: column members.city text"}},
		{name: "a default that does not come back", only: dialect.Postgres,
			up: "ALTER TABLE members ALTER COLUMN rank SET DEFAULT 4;", down: "ALTER TABLE members ALTER COLUMN rank DROP DEFAULT;",
			want: []string{"down does not restore the schema", "missing: column members.rank integer NOT NULL DEFAULT 3", "unexpected: column members.rank integer NOT NULL"}},
		{name: "a default that a copy forgets", only: dialect.SQLite, up: "SELECT 1;", down: copied(without(" DEFAULT 3"), all),
			want: []string{"down does not restore the schema", "missing: column members.rank integer NOT NULL DEFAULT 3"}},
		{name: "a check that does not come back", only: dialect.Postgres, up: "ALTER TABLE members DROP CONSTRAINT members_rank;", down: "SELECT 1;",
			want: []string{"down does not restore the schema", "missing: check members.members_rank"}},
		{name: "a check that a copy forgets", only: dialect.SQLite, up: "SELECT 1;", down: copied(without(", CONSTRAINT members_rank CHECK (rank >= 1)"), all),
			want: []string{"down does not restore the schema", "missing: check members.members_rank"}},
		{name: "a foreign key that a copy forgets", only: dialect.SQLite, up: "SELECT 1;",
			down: copied(without(" CONSTRAINT members_squads FOREIGN KEY (squad_id) REFERENCES squads (id),"), all),
			want: []string{"down does not restore the schema", "missing: foreign-key members.members_squads"}},
		{name: "a copy that loses a column's values", only: dialect.SQLite, down: "SELECT 1;",
			up:   copied(whole, "INSERT INTO new_members (id, name, rank, squad_id) SELECT id, name, rank, squad_id FROM members;\n"),
			want: []string{"rows of members are not kept, after down", "missing: (city='v1'", "unexpected: (city=NULL"}},
		{name: "a copy that mixes up values", only: dialect.SQLite, down: "SELECT 1;",
			up:   copied(whole, "INSERT INTO new_members SELECT id, city, name, rank, squad_id FROM members WHERE city IS NOT NULL;\n"),
			want: []string{"rows of members are not kept, after down"}},
		{name: "a copy without rows", only: dialect.SQLite, down: "SELECT 1;", up: copied(whole, ""),
			want: []string{"rows of members are not kept, after down", "missing: (city='v1'", "missing: (city=NULL"}},
		{name: "rows that down loses", up: "SELECT 1;", down: "DELETE FROM members;",
			want: []string{"rows of members are not kept, after down"}},
		{name: "rows that down leaves", up: "INSERT INTO squads VALUES (99);", down: "SELECT 1;",
			want: []string{"rows of squads are not kept, after down", "unexpected: (id=99)"}},
		{name: "values that up changes", up: "UPDATE members SET city = 'a' WHERE id > 0;", down: "SELECT 1;",
			want: []string{"rows of members are not kept, after down", "missing: (city=", "unexpected: (city="}},
		{name: "empty places that are filled", up: "UPDATE members SET city = 'a' WHERE city IS NULL;", down: "SELECT 1;"},
		{name: "a rename that is a drop and an add", want: []string{"rows of members are not kept, after down", "missing: (city="},
			up:   "ALTER TABLE members ADD COLUMN town text NULL;\nALTER TABLE members DROP COLUMN city;",
			down: "ALTER TABLE members ADD COLUMN city text NULL;\nALTER TABLE members DROP COLUMN town;"},
		{name: "a rename", up: "ALTER TABLE members RENAME COLUMN city TO town;\nALTER TABLE members RENAME TO people;",
			down: "ALTER TABLE people RENAME TO members;\nALTER TABLE members RENAME COLUMN town TO city;"},
		{name: "a loss that is acknowledged", up: "-- lint:allow drop-column members.city nobody reads it\nALTER TABLE members DROP COLUMN city;",
			down: "ALTER TABLE members ADD COLUMN city text NULL;"},
		{name: "a loss of something else than is acknowledged", want: []string{"rows of members are not kept, after down"},
			up: "-- lint:allow drop-column squads.city nobody reads it\nALTER TABLE members DROP COLUMN city;", down: "ALTER TABLE members ADD COLUMN city text NULL;"},
		{name: "a down that fails", up: "SELECT 1;", down: "DROP TABLE nowhere;", want: []string{"down fails", "20260101000002_step.sql, line 4", "nowhere"}},
		{name: "an up that fails", up: "DROP TABLE nowhere;", down: "SELECT 1;", want: []string{"up fails", "not tried", "20260101000002_step.sql, line 2"}},
		{name: "an up that fails on rows", up: "CREATE UNIQUE INDEX member_low ON members (length(name));", down: "DROP INDEX member_low;",
			want: []string{"up fails on rows", "member_low", "lint:allow", "add-unique-index"}},
		{name: "an up that fails on rows, as is acknowledged", down: "DROP INDEX member_low;",
			up: "-- lint:allow add-unique-index members names were counted\nCREATE UNIQUE INDEX member_low ON members (length(name));"},
		{name: "a down that fails on rows", up: "ALTER TABLE members ADD COLUMN motto text NULL;", want: []string{"down fails"},
			down: "CREATE UNIQUE INDEX member_low ON members (length(name));\nDROP INDEX member_low;\nALTER TABLE members DROP COLUMN motto;"},
		{name: "an up that works once", down: "DROP TABLE more;", want: []string{"up fails after down", "20260101000002_step.sql, line 3", "not tried"},
			up: "CREATE TABLE more (id integer NOT NULL);\nINSERT INTO more VALUES ((SELECT min(1) FROM members WHERE city IS NULL));\n" +
				"UPDATE members SET city = 'a' WHERE city IS NULL;"},
		{name: "an up that does something else the second time", want: []string{"rows of members are not kept, after the second up", "rank=77"},
			up:   "UPDATE members SET rank = 77 WHERE city IS NULL;\nUPDATE members SET city = 'a' WHERE city IS NULL;",
			down: "UPDATE members SET rank = id WHERE rank = 77;"},
		{name: "values that up changes, as is acknowledged", down: "SELECT 1;",
			up: "-- verify:allow change-values members.city they were wrong\nUPDATE members SET city = 'a' WHERE id > 0;"},
		{name: "values that up changes each time, as is acknowledged", down: "SELECT 1;",
			up: "-- verify:allow change-values they were wrong\nUPDATE members SET rank = rank + 1 WHERE id > 0;"},
		{name: "values that up changes in a table with a new name, as is acknowledged", down: "ALTER TABLE people RENAME COLUMN town TO city;\nALTER TABLE people RENAME TO members;",
			up: "-- verify:allow change-values members.city they were wrong\nUPDATE members SET city = rank || coalesce(city, '');\n" +
				"ALTER TABLE members RENAME COLUMN city TO town;\nALTER TABLE members RENAME TO people;"},
		{name: "values of another column than is acknowledged", down: "SELECT 1;", want: []string{"rows of members are not kept, after down", "missing: (", "rank=", "verify:allow", "change-values"},
			up: "-- verify:allow change-values members.city they were wrong\nUPDATE members SET city = 'a', rank = 9 WHERE id > 0;"},
		{name: "rows that go where values are acknowledged", down: "DELETE FROM members;", want: []string{"rows of members are not kept, after down", "missing: "},
			up: "-- verify:allow change-values members they were wrong\nUPDATE members SET city = 'a' WHERE id > 0;"},
		{name: "rows that down leaves, as is acknowledged", down: "SELECT 1;",
			up: "-- verify:allow insert-rows squads all need them\nINSERT INTO squads VALUES (99) ON CONFLICT DO NOTHING;"},
		{name: "rows that are lost where rows are acknowledged", down: "DELETE FROM members WHERE city IS NOT NULL;", want: []string{"rows of members are not kept, after down", "missing: "},
			up: "-- verify:allow insert-rows members all need them\nSELECT 1;"},
		{name: "an acknowledgement of nothing", up: "-- verify:allow insert-rows squads all need them\nSELECT 1;", down: "SELECT 1;",
			want: []string{"line 2: there is nothing here that it acknowledges"}},
		{name: "an acknowledgement without a reason", up: "-- verify:allow insert-rows squads\nSELECT 1;", down: "SELECT 1;", want: []string{"line 2: no reason is given"}},
		{name: "an acknowledgement of what is no rule", up: "-- verify:allow drop-table squads unused\nSELECT 1;", down: "SELECT 1;",
			want: []string{"line 2: there is no rule \"drop-table\"", "change-values, insert-rows"}},
		{name: "many rows that down leaves", down: "SELECT 1;", want: []string{"unexpected: (id=119)", "and 80 more"},
			up: "INSERT INTO squads WITH RECURSIVE n(n) AS (SELECT 100 UNION ALL SELECT n + 1 FROM n WHERE n < 199) SELECT n FROM n;"},
		{name: "an index outside of a transaction", only: dialect.Postgres,
			up: "-- +goose NO TRANSACTION\nCREATE INDEX CONCURRENTLY member_rank ON members (rank);", down: "DROP INDEX CONCURRENTLY member_rank;"},
		{name: "an index outside of a transaction that down leaves", only: dialect.Postgres, want: []string{"down does not restore the schema", "unexpected: index members.member_rank"},
			up: "-- +goose NO TRANSACTION\nCREATE INDEX CONCURRENTLY member_rank ON members (rank);", down: "SELECT 1;"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := mustMakeDirs(t)
			last := "-- +goose Up\nCREATE TABLE others (id integer);\n-- +goose Down\nDROP TABLE others;\n"
			text := "-- +goose Up\n" + tt.up + "\n-- +goose Down\n" + tt.down + "\n"
			mustWriteSteps(t, dir, squads, text, last)
			eachDialect(t, tt.only, func(t *testing.T, name string) {
				path := filepath.Join(dir, dirs[name])
				verdicts := mustVerifyFiles(t, name, path)
				faults := faultsOf(verdicts, filepath.Join(path, "20260101000002_step.sql"))
				if len(tt.want) == 0 && faults != "" {
					t.Errorf("want no fault: %s", faults)
				}
				for _, want := range tt.want {
					if !strings.Contains(faults, want) {
						t.Errorf("%q is missing from: %s", want, faults)
					}
				}
				for _, n := range []string{"1", "3"} { // what comes before and after it is good
					if other := faultsOf(verdicts, filepath.Join(path, "2026010100000"+n+"_step.sql")); other != "" {
						t.Errorf("step %s: want no fault: %s", n, other)
					}
				}
			})
		})
	}
}

// faultsOf returns the faults of a file.
func faultsOf(verdicts []dev.Verdict, path string) (text string) {
	for _, v := range verdicts {
		if v.Path == path {
			text += strings.Join(v.Faults, "\n")
		}
	}
	return text
}

// Verify compares the checksums too, and the versions of the two dialects.
func TestVerifyComparesChecksums(t *testing.T) {
	t.Parallel()
	dir, devURL := mustMakeDirs(t), dbtest.EmptyPostgres(t)
	tables := newGuild().tables()
	mustDiff(t, dir, "init", devURL, tables)
	edited, err := filepath.Glob(filepath.Join(dir, "sqlite", "*.sql"))
	if err != nil || len(edited) != 1 {
		t.Fatal(edited, err)
	}
	text, err := os.ReadFile(edited[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(edited[0], append([]byte("-- edited\n"), text...), 0o644); err != nil {
		t.Fatal(err)
	}
	verdicts := mustVerify(t, dir, tables)
	faults := faultsOf(verdicts, filepath.Join(dir, "sqlite"))
	if !strings.Contains(faults, edited[0]+" was edited since") || !strings.Contains(faults, "migrate hash") {
		t.Errorf("want that a file was edited: %q", faults)
	}
	if faults := faultsOf(verdicts, filepath.Join(dir, "postgres")); faults != "" {
		t.Errorf("want no fault of the other files: %s", faults)
	}
	if err := os.Remove(edited[0]); err != nil {
		t.Fatal(err)
	}
	if faults := faultsOf(mustVerify(t, dir, tables), dir); !strings.Contains(faults, "postgres has "+filepath.Base(edited[0])+" and sqlite has not") {
		t.Errorf("want that one lacks a file: %q", faults)
	}
}

func TestVerifyComparesWithEnt(t *testing.T) {
	t.Parallel()
	dir, devURL := mustMakeDirs(t), dbtest.EmptyPostgres(t)
	mustDiff(t, dir, "init", devURL, newGuild().tables())
	wantNone(t, mustVerify(t, dir, newGuild().tables()))
	after := newGuild()
	after.heroes.Columns = append(after.heroes.Columns, &schema.Column{Name: "city", Type: field.TypeString, Nullable: true})
	after.index(after.heroes, "hero_name", false, "", "name")
	after.check("heroes_age", "age >= 0")
	after.hero("state").Default = "BUSY"
	after.hero("motto").Name = "handle"
	verdicts := mustVerify(t, dir, after.tables())
	for _, d := range dirs {
		faults := faultsOf(verdicts, filepath.Join(dir, d))
		for _, want := range []string{"ent/schema", "migrate diff", "city", "hero_name", "heroes_age", "'BUSY'", "handle"} {
			if !strings.Contains(faults, want) {
				t.Errorf("%s: %q is missing from: %q", d, want, faults)
			}
		}
	}
}

// Verify makes rows for every kind of constraint, or says that it could not.
func TestVerifyMakesRows(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, table string
		only        string
		note        string // "" if there are to be rows
	}{
		{name: "a list of values", table: "CREATE TABLE a (x text NOT NULL CHECK (x IN ('Red', 'Blue')), y integer NOT NULL CHECK (y = 40 OR y = 50))"},
		{name: "a length", table: "CREATE TABLE a (x text NOT NULL CHECK (length(x) BETWEEN 20 AND 30))"},
		{name: "numbers below", table: "CREATE TABLE a (x integer NOT NULL CHECK (x < -5 AND x > -10))"},
		{name: "one or the other", table: "CREATE TABLE a (x integer, y integer, CHECK ((x IS NULL) <> (y IS NULL)))"},
		{name: "one more than the other", table: "CREATE TABLE a (x integer NOT NULL, y integer NOT NULL, CHECK (x < y AND y < 50))"},
		{name: "a circle", table: "CREATE TABLE b (id integer PRIMARY KEY, a_id integer);\nCREATE TABLE a (id integer PRIMARY KEY, b_id integer NOT NULL REFERENCES b (id))"},
		{name: "itself", table: "CREATE TABLE a (id integer PRIMARY KEY, boss_id integer NOT NULL REFERENCES a (id))"},
		{name: "a key of two", table: "CREATE TABLE b (x integer NOT NULL, y text NOT NULL, PRIMARY KEY (x, y));\n" +
			"CREATE TABLE a (x integer NOT NULL, y text NOT NULL, FOREIGN KEY (x, y) REFERENCES b (x, y), UNIQUE (x, y))"},
		{name: "no columns of its own", table: "CREATE TABLE a (x integer GENERATED ALWAYS AS IDENTITY)", only: dialect.Postgres},
		{name: "many types", only: dialect.Postgres, table: "CREATE TYPE mood AS ENUM ('good', 'bad');\n" +
			"CREATE TABLE a (a bigserial, b numeric(10, 2) NOT NULL, c timestamptz NOT NULL, d date NOT NULL, e bytea NOT NULL, f jsonb NOT NULL, " +
			"g uuid NOT NULL UNIQUE, h mood NOT NULL, i text[] NOT NULL, j inet NOT NULL, k interval NOT NULL, l varchar(1) NOT NULL, m smallint NOT NULL, " +
			"n double precision NOT NULL, o boolean NOT NULL, p integer GENERATED ALWAYS AS (m + 1) STORED CHECK (p > 0), q char(3) NOT NULL, r time NOT NULL)"},
		{name: "a check that is not understood", table: "CREATE TABLE a (x text NOT NULL, CONSTRAINT a_x CHECK (x || 'z' = 'qqz'))", note: "a_x"},
		{name: "a type that is not known", only: dialect.Postgres, table: "CREATE TABLE a (x point NOT NULL)", note: "x, which is point"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := mustMakeDirs(t)
			text := tt.table + ";"
			mustWriteSteps(t, dir, "-- +goose Up\n"+text+"\n-- +goose Down\nDROP TABLE a;\n", "-- +goose Up\nSELECT 1;\n-- +goose Down\nSELECT 1;\n")
			eachDialect(t, tt.only, func(t *testing.T, name string) {
				verdicts := mustVerifyFiles(t, name, filepath.Join(dir, dirs[name]))
				v := verdicts[len(verdicts)-1]
				notes := strings.Join(v.Notes, "\n")
				if want := []string{"up, down and up with 3 rows", "up, down and up with 6 rows"}; tt.note == "" && (notes != "" || !slices.Contains(want, v.Good)) {
					t.Errorf("want rows in all tables: %s", v)
				}
				if tt.note != "" && (!strings.Contains(notes, "no row could be made for a") || !strings.Contains(notes, tt.note)) {
					t.Errorf("want a note that says %q: %s", tt.note, v)
				}
			})
		})
	}
}
