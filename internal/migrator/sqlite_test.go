package migrator_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"forge/internal/migrator"
	"forge/migrate"
	"forge/test/dbtest"
)

const parentAndChild = `-- +goose Up
CREATE TABLE parent (id integer PRIMARY KEY, name text);
CREATE TABLE child (id integer PRIMARY KEY, parent_id integer REFERENCES parent (id) ON DELETE CASCADE);
INSERT INTO parent VALUES (1, 'a'), (2, 'b');
INSERT INTO child VALUES (1, 1), (2, 2), (3, 2);
`

// SQLite changes a column by copying the table and dropping the old one. With foreign keys on,
// that would delete the rows that refer to it.
func TestSQLiteCopyOfATableKeepsItsChildren(t *testing.T) {
	t.Parallel()
	db := mustOpen(t, dbtest.EmptySQLite(t))
	db.SetMaxOpenConns(1) // so that the connection afterwards is the one that migrated
	mustUp(t, db, steps(parentAndChild, `-- +goose Up
CREATE TABLE new_parent (id integer PRIMARY KEY, name text NOT NULL);
INSERT INTO new_parent SELECT id, name FROM parent;
DROP TABLE parent;
ALTER TABLE new_parent RENAME TO parent;
`))
	if n := db.Count(t, "SELECT count(*) FROM child JOIN parent ON parent.id = parent_id"); n != 3 {
		t.Errorf("%d of 3 rows that refer to the copied table are left", n)
	}
	if got := db.Count(t, "PRAGMA foreign_keys"); got != 1 {
		t.Error("the migration left foreign keys switched off")
	}
	db.MustExec(t, "DELETE FROM parent WHERE id = 2")
	if n := db.Count(t, "SELECT count(*) FROM child"); n != 1 {
		t.Errorf("%d children are left, want 1: the foreign key is gone", n)
	}
}

func TestSQLiteRefusesBrokenReferences(t *testing.T) {
	t.Parallel()
	db := mustOpen(t, dbtest.EmptySQLite(t))
	db.SetMaxOpenConns(1)
	mustUp(t, db, steps(parentAndChild))
	err := db.Source(steps(parentAndChild, "-- +goose Up\nDELETE FROM parent WHERE id = 2;")).Up(t.Context(), db.DB, discard)
	if err == nil || !strings.Contains(err.Error(), "2 rows of child refer to rows of parent that do not exist") {
		t.Errorf("Up: %v, want an error that names the broken references", err)
	}
	if n := db.Count(t, "SELECT count(*) FROM parent"); n != 2 {
		t.Errorf("%d of 2 rows are left: the refused migration changed something", n)
	}
	if n := db.Count(t, "SELECT max(version_id) FROM goose_db_version"); n != 20260101000001 {
		t.Errorf("the database says it has version %d", n)
	}
	if got := db.Count(t, "PRAGMA foreign_keys"); got != 1 {
		t.Error("the failed migration left foreign keys switched off")
	}
}

func TestSQLiteInMemory(t *testing.T) {
	t.Parallel()
	db := mustOpen(t, "sqlite::memory:")
	db.SetMaxOpenConns(1)
	for range 2 {
		if err := migrator.New(migrate.Files, db.Dialect).Up(t.Context(), db.DB, discard); err != nil {
			t.Fatal(err)
		}
	}
	if err := migrator.New(migrate.Files, db.Dialect).Check(t.Context(), db.DB); err != nil {
		t.Error(err)
	}
}

// A migration waits for a writer, whatever the connection's busy timeout is. It also waits for
// another process that has just created the file, although SQLite does not wait when it switches
// to the write-ahead log.
func TestSQLiteWaits(t *testing.T) {
	t.Parallel()
	for name, options := range map[string]string{"for a writer": "?_pragma=journal_mode(WAL)", "for the first": "?"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := dbtest.EmptySQLite(t)
			conn, err := mustOpen(t, url+options).Conn(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			if _, err := conn.ExecContext(t.Context(), "BEGIN IMMEDIATE"); err != nil {
				t.Fatal(err)
			}
			db := mustOpen(t, url+"?_pragma=busy_timeout(1)&_pragma=journal_mode(WAL)")

			done := make(chan error, 1)
			go func() { done <- migrator.New(migrate.Files, db.Dialect).Up(t.Context(), db.DB, discard) }()
			select {
			case err := <-done:
				t.Fatalf("Up did not wait: %v", err)
			case <-time.After(300 * time.Millisecond): // time to fail in; nothing depends on its length
			}
			if _, err := conn.ExecContext(t.Context(), "COMMIT"); err != nil {
				t.Fatal(err)
			}
			if err := <-done; err != nil {
				t.Error(err)
			}
		})
	}
}

// Waiting ends with the context, and leaves the connection as it was.
func TestSQLiteStopsWaiting(t *testing.T) {
	t.Parallel()
	url := dbtest.EmptySQLite(t) + "?_pragma=journal_mode(WAL)"
	conn, err := mustOpen(t, url).Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.ExecContext(t.Context(), "BEGIN IMMEDIATE"); err != nil {
		t.Fatal(err)
	}
	db := mustOpen(t, url+"&_pragma=busy_timeout(1)")
	db.SetMaxOpenConns(1)
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if err := migrator.New(migrate.Files, db.Dialect).Up(ctx, db.DB, discard); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Up: %v, want %v", err, context.DeadlineExceeded)
	}
	if got := db.Count(t, "PRAGMA foreign_keys"); got != 1 {
		t.Error("the migration that was given up left foreign keys switched off")
	}
}
