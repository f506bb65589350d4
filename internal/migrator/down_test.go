package migrator_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"entgo.io/ent/dialect"

	"forge/internal/migrator"
)

// shop returns versions with every kind of change that Down has to look at.
func shop() fstest.MapFS {
	return steps(`-- +goose Up
CREATE TABLE products (id integer PRIMARY KEY, name text NOT NULL);
CREATE TABLE empty (id integer PRIMARY KEY);
-- +goose Down
DROP TABLE empty;
DROP TABLE products;
`, `-- +goose Up
ALTER TABLE products ADD COLUMN price integer;
ALTER TABLE products ADD COLUMN colour text;
-- +goose Down
ALTER TABLE products DROP COLUMN colour;
ALTER TABLE products DROP COLUMN price;
`, `-- +goose Up
ALTER TABLE products RENAME COLUMN name TO title;
ALTER TABLE products RENAME TO goods;
-- +goose Down
ALTER TABLE "goods" RENAME TO "products";
ALTER TABLE "products" RENAME COLUMN "title" TO "name";
`, `-- +goose Up
CREATE TABLE reviews (id integer PRIMARY KEY);
CREATE TABLE "odd ""name" ("a.b" integer);
-- +goose Down
DROP TABLE "odd ""name";
DROP TABLE reviews;
`)
}

func TestDownAsks(t *testing.T) {
	t.Parallel()
	eachEmpty(t, func(t *testing.T, db database) {
		files := shop()
		mustUp(t, db, files)
		db.MustExec(t, "INSERT INTO goods (id, title, price) VALUES (1, 'a', 5), (2, 'b', NULL), (3, 'c', 0)")
		db.MustExec(t, "INSERT INTO reviews VALUES (1), (2)")
		db.MustExec(t, `INSERT INTO "odd ""name" VALUES (NULL)`)
		for n, want := range map[int][]string{
			1: {"table reviews (2 rows)", `table odd "name (1 row)`},
			2: {"table reviews (2 rows)", `table odd "name (1 row)`},
			3: {"table reviews (2 rows)", `table odd "name (1 row)`, "column goods.price (a value in 2 rows)"},
			4: {"table reviews (2 rows)", `table odd "name (1 row)`, "table goods (3 rows)"},
			9: {"table reviews (2 rows)", `table odd "name (1 row)`, "table goods (3 rows)"},
		} {
			before := db.everything(t)
			err := db.Source(files).Down(t.Context(), db.DB, n, false, migrator.LockTimeout, discard)
			loss, ok := errors.AsType[*migrator.LossError](err)
			if !ok {
				t.Errorf("down %d: %v, want a LossError", n, err)
				continue
			}
			for _, word := range append(want, "20260101000004_step", "--yes") {
				if !strings.Contains(err.Error(), word) {
					t.Errorf("down %d: %q does not say %q", n, err, word)
				}
			}
			if got := len(loss.Tables) + len(loss.Columns); got != len(want) {
				t.Errorf("down %d: %q names %d losses, want %d", n, err, got, len(want))
			}
			if after := db.everything(t); !slices.Equal(before, after) {
				t.Errorf("down %d that was refused changed\n%q\nto\n%q", n, before, after)
			}
		}
		// A table without rows, a column without values and a rename lose nothing.
		db.MustExec(t, "DELETE FROM reviews")
		db.MustExec(t, `DELETE FROM "odd ""name"`)
		db.MustExec(t, "UPDATE goods SET price = NULL")
		if err := db.Source(files).Down(t.Context(), db.DB, 3, false, migrator.LockTimeout, discard); err != nil {
			t.Fatalf("down without a loss: %v", err)
		}
		if n := db.Count(t, "SELECT count(name) FROM products"); n != 3 {
			t.Errorf("%d of 3 names are left", n)
		}
		err := db.Source(files).Down(t.Context(), db.DB, 1, false, migrator.LockTimeout, discard)
		if err == nil || !strings.Contains(err.Error(), "table products (3 rows)") || strings.Contains(err.Error(), "empty") {
			t.Errorf("down to nothing: %v, want that products would be lost, and no more", err)
		}
		if err := db.Source(files).Down(t.Context(), db.DB, 1, true, migrator.LockTimeout, discard); err != nil {
			t.Error(err)
		}
	})
}

// A column that is dropped and added again comes back without its values.
func TestDownThroughAColumnThatComesBack(t *testing.T) {
	t.Parallel()
	eachEmpty(t, func(t *testing.T, db database) {
		files := steps("-- +goose Up\nCREATE TABLE a (id integer, x integer);\n-- +goose Down\nDROP TABLE a;",
			"-- +goose Up\nALTER TABLE a DROP COLUMN x;\n-- +goose Down\nALTER TABLE a ADD COLUMN x integer;",
			"-- +goose Up\nALTER TABLE a ADD COLUMN x integer;\n-- +goose Down\nALTER TABLE a DROP COLUMN x;")
		mustUp(t, db, files)
		db.MustExec(t, "INSERT INTO a VALUES (1, 7)")
		for n := 1; n <= 2; n++ {
			err := db.Source(files).Down(t.Context(), db.DB, n, false, migrator.LockTimeout, discard)
			if err == nil || !strings.Contains(err.Error(), "column a.x (a value in 1 row)") {
				t.Errorf("down %d: %v, want that a.x would be lost", n, err)
			}
		}
	})
}

// A table that stays may lose its rows.
func TestDownEmptiesWhatStays(t *testing.T) {
	t.Parallel()
	eachEmpty(t, func(t *testing.T, db database) {
		for _, tt := range []struct {
			up, down, want string // want "" for no loss
			postgres       bool   // SQLite cannot do that
		}{
			{"SELECT 1;", "DELETE FROM a;", "table a (2 rows)", false},
			{"SELECT 1;", `DELETE FROM "a" WHERE id > 1;`, "table a (2 rows)", false},
			{"SELECT 1;", "TRUNCATE a;", "table a (2 rows)", true},
			{"CREATE INDEX on_x ON a (x);", "DROP INDEX on_x;", "", false},
			{"ALTER TABLE a ALTER COLUMN x TYPE varchar(99);", "ALTER TABLE a ALTER COLUMN x TYPE varchar(9) USING x::varchar(9);", "column a.x (a value in 1 row)", true},
			{"ALTER TABLE a ALTER COLUMN x TYPE text;", "ALTER TABLE a ALTER COLUMN x TYPE varchar(9);", "column a.x (a value in 1 row)", true},
			{"ALTER TABLE a ALTER COLUMN id TYPE smallint;", "ALTER TABLE a ALTER COLUMN id TYPE bigint;", "", true},
		} {
			if tt.postgres && db.Dialect == dialect.SQLite {
				continue
			}
			id := "integer"
			if strings.Contains(tt.down, "bigint") {
				id = "bigint"
			}
			files := steps("-- +goose Up\nCREATE TABLE a (id "+id+", x varchar(9));\n-- +goose Down\nDROP TABLE a;",
				"-- +goose Up\n"+tt.up+"\n-- +goose Down\n"+tt.down)
			mustUp(t, db, files)
			db.MustExec(t, "INSERT INTO a VALUES (1, 'abcd'), (2, NULL)")
			err := db.Source(files).Down(t.Context(), db.DB, 1, false, migrator.LockTimeout, discard)
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("%s: %v, want %q", tt.down, err, tt.want)
			}
			left := 1
			if err != nil {
				left = 2
			}
			if err := db.Source(files).Down(t.Context(), db.DB, left, true, migrator.LockTimeout, discard); err != nil {
				t.Fatalf("%s with --yes: %v", tt.down, err)
			}
		}
	})
}

// SQLite changes a table by copying it, which loses nothing.
func TestDownByACopyOnSQLite(t *testing.T) {
	t.Parallel()
	eachEmpty(t, func(t *testing.T, db database) {
		if db.Dialect == dialect.Postgres {
			return
		}
		files := steps("-- +goose Up\nCREATE TABLE a (id integer, x integer);", `-- +goose Up
SELECT 1;
-- +goose Down
CREATE TABLE new_a (id integer, x integer);
INSERT INTO new_a SELECT * FROM a;
DROP TABLE a;
ALTER TABLE new_a RENAME TO a;
`)
		mustUp(t, db, files)
		db.MustExec(t, "INSERT INTO a VALUES (1, 7)")
		if err := db.Source(files).Down(t.Context(), db.DB, 1, false, migrator.LockTimeout, discard); err != nil {
			t.Error(err)
		}
		if n := db.Count(t, "SELECT count(*) FROM a WHERE x = 7"); n != 1 {
			t.Error("the row is gone")
		}
	})
}

// If it is not known which tables stay, any rows are a reason to ask.
func TestDownOfWhatIsNotKnown(t *testing.T) {
	t.Parallel()
	eachEmpty(t, func(t *testing.T, db database) {
		files := shop()
		db.MustExec(t, "CREATE TABLE theirs (n integer)")
		db.MustExec(t, "INSERT INTO theirs VALUES (1)")
		mustUp(t, db, files)
		db.MustExec(t, "UPDATE goose_db_version SET schema = NULL WHERE version_id = 20260101000003")
		db.MustExec(t, "INSERT INTO goods (id, title) VALUES (1, 'a')")
		err := db.Source(files).Down(t.Context(), db.DB, 1, false, migrator.LockTimeout, discard)
		if loss, ok := errors.AsType[*migrator.LossError](err); !ok || len(loss.Tables) != 1 || loss.Tables[0].Table != "goods" || len(loss.NotKnown) != 1 ||
			!strings.Contains(err.Error(), "not known") || !strings.Contains(err.Error(), "20260101000003_step") || !strings.Contains(err.Error(), "table goods (1 row)") {
			t.Errorf("down: %v, want that it is not known, and goods", err)
		}
		db.MustExec(t, "DELETE FROM goods")
		if err := db.Source(files).Down(t.Context(), db.DB, 1, false, migrator.LockTimeout, discard); err != nil {
			t.Errorf("down without any data: %v", err)
		}
	})
}

// The error of a failing down section names the section.
func TestFailingDown(t *testing.T) {
	t.Parallel()
	eachEmpty(t, func(t *testing.T, db database) {
		files := heroes()
		files["20260101000003_bad.sql"] = &fstest.MapFile{Data: []byte("-- +goose Up\nSELECT 1;\n-- +goose Down\nDROP TABLE heroes;\nDROP TABLE nowhere;")}
		mustUp(t, db, files)
		before := db.everything(t)
		err := db.Source(files).Down(t.Context(), db.DB, 2, true, migrator.LockTimeout, discard)
		if step, ok := errors.AsType[*migrator.StepError](err); !ok || !step.Down || step.Statement != 2 || step.Line != 5 ||
			!strings.Contains(err.Error(), "20260101000003_bad.sql, line 5: statement 2 of its down section failed") {
			t.Errorf("Down: %v, want a StepError for the second statement", err)
		}
		if after := db.everything(t); !slices.Equal(before, after) {
			t.Errorf("it left\n%q, want\n%q", after, before)
		}
	})
}
