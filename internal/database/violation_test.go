package database_test

import (
	"slices"
	"testing"

	"entgo.io/ent/dialect"

	"forge/internal/database"
	"forge/test/dbtest"
)

// islands are tables of this test, with a constraint of each kind.
var islands = map[string][]string{
	dialect.Postgres: {
		`CREATE TABLE islands (id int PRIMARY KEY, name text NOT NULL, "the sea" varchar(5), height smallint CHECK (height >= 0),
			near int REFERENCES islands (id), UNIQUE (name, "the sea"))`,
		`CREATE TABLE ferries (id int PRIMARY KEY, of_island int REFERENCES islands (id) ON DELETE RESTRICT,
			later int REFERENCES islands (id) DEFERRABLE INITIALLY DEFERRED, runs int4range, EXCLUDE USING gist (runs WITH &&))`,
	},
	dialect.SQLite: {
		`CREATE TABLE islands (id int PRIMARY KEY, name text NOT NULL, "the sea" text, height int CHECK (height >= 0),
			near int REFERENCES islands (id), UNIQUE (name, "the sea"))`,
		`CREATE TABLE ferries (id int PRIMARY KEY, of_island int REFERENCES islands (id) ON DELETE RESTRICT,
			later int REFERENCES islands (id) DEFERRABLE INITIALLY DEFERRED)`,
		`CREATE TRIGGER full BEFORE INSERT ON ferries WHEN NEW.id = 13 BEGIN SELECT RAISE(ABORT, 'no more'); END`,
		`CREATE TABLE strict (n int) STRICT`,
	},
}

// TestViolation violates a constraint of each kind.
func TestViolation(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) {
		db, err := database.Open(url, database.Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { db.Close() })
		for _, statement := range append(islands[db.Dialect],
			`INSERT INTO islands (id, name, "the sea", near) VALUES (1, 'Skye', 'Minch', NULL), (2, 'Raasay', 'Sound', 1), (3, 'Rum', 'x', NULL)`,
			`INSERT INTO ferries (id, of_island) VALUES (1, 3)`) {
			if _, err := db.ExecContext(t.Context(), statement); err != nil {
				t.Fatalf("%s: %v", statement, err)
			}
		}
		const postgres, sqlite = dialect.Postgres, dialect.SQLite
		for _, tt := range []struct {
			on, statement string
			rule          database.Rule
			table         string
			columns       []string // if both databases report them
			value         string   // PostgreSQL reports it
		}{
			{"", `INSERT INTO islands (id, name) VALUES (1, 'x')`, database.Unique, "islands", []string{"id"}, "1"},
			{"", `INSERT INTO islands (id, name, "the sea") VALUES (4, 'Skye', 'Minch')`, database.Unique, "islands", []string{"name", "the sea"}, ""},
			{"", `INSERT INTO islands (id) VALUES (4)`, database.Required, "islands", []string{"name"}, ""},
			{"", `UPDATE islands SET name = NULL`, database.Required, "islands", []string{"name"}, ""},
			{"", `INSERT INTO islands (id, name, height) VALUES (4, 'x', -1)`, database.Check, "", nil, ""},
			{"", `INSERT INTO islands (id, name, near) VALUES (4, 'x', 42)`, database.Reference, "", nil, "42"},
			{"", `  update islands SET near = 42 WHERE id = 1`, database.Reference, "", nil, "42"},
			{"", `DELETE FROM islands WHERE id = 1`, database.Referenced, "", nil, "1"},
			{"", `DELETE FROM islands WHERE id = 3`, database.Referenced, "", nil, "3"},
			{postgres, `INSERT INTO islands (id, name, "the sea") VALUES (4, 'x', 'too long')`, database.Length, "", nil, ""},
			{postgres, `INSERT INTO islands (id, name, height) VALUES (4, 'x', 70000)`, database.Range, "", nil, ""},
			{postgres, `INSERT INTO islands (id, name) VALUES ('four', 'x')`, database.Form, "", nil, ""},
			{postgres, `INSERT INTO ferries (id, runs) VALUES (8, '[1,5)'), (9, '[2,3)')`, database.Exclusion, "ferries", nil, "[2,3"},
			{sqlite, `INSERT INTO ferries (id) VALUES (13)`, database.Check, "", nil, ""},
			{sqlite, `INSERT INTO strict VALUES ('x')`, database.Form, "", nil, ""},
			{"", `INSERT INTO nowhere VALUES (1)`, 0, "", nil, ""},
			{"", `INSERT INTO islands (id, name) VALUES`, 0, "", nil, ""},
		} {
			if tt.on != "" && tt.on != db.Dialect {
				continue
			}
			_, err := db.ExecContext(t.Context(), tt.statement)
			v, ok := database.Violation(database.WithStatement(tt.statement, err))
			if v.Rule != tt.rule || ok != (tt.rule != 0) || err == nil {
				t.Errorf("%s: %+v (%v), want rule %d", tt.statement, v, err, tt.rule)
			}
			if tt.table != "" && v.Table != tt.table || tt.columns != nil && !slices.Equal(v.Columns, tt.columns) {
				t.Errorf("%s: %+v (%v), want the columns %q of %s", tt.statement, v, err, tt.columns, tt.table)
			}
			if db.Dialect == postgres && v.Value != tt.value {
				t.Errorf("%s: the value %q, want %q", tt.statement, v.Value, tt.value)
			}
		}
		if _, err := db.ExecContext(t.Context(), `INSERT INTO islands (id, name) VALUES ($1, $2)`, 5, "a\x00b"); db.Dialect == postgres {
			if v, ok := database.Violation(err); !ok || v.Rule != database.Character {
				t.Errorf("a NUL: %+v, %v", v, err)
			}
		}
	})
}

// TestViolationAtCommit violates a foreign key that is checked at the COMMIT. Only PostgreSQL then
// reports which end of the key is at fault.
func TestViolationAtCommit(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) {
		db, err := database.Open(url, database.Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { db.Close() })
		for _, statement := range islands[db.Dialect] {
			if _, err := db.ExecContext(t.Context(), statement); err != nil {
				t.Fatalf("%s: %v", statement, err)
			}
		}
		tx, err := db.BeginTx(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tx.Exec(`INSERT INTO ferries (id, later) VALUES (1, 42)`); err != nil {
			t.Fatal(err)
		}
		err = tx.Commit()
		want := map[string]database.Rule{dialect.Postgres: database.Reference, dialect.SQLite: database.ForeignKey}[db.Dialect]
		if v, ok := database.Violation(err); !ok || v.Rule != want {
			t.Errorf("%+v, %v, want rule %d", v, err, want)
		}
		_ = tx.Rollback()
	})
}
