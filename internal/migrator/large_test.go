package migrator_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"forge/test/dbtest"
)

const million = 1_000_000

// large returns files that create a large table and then change it.
func large() fstest.MapFS {
	return steps(
		"-- +goose Up\nCREATE TABLE visits (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, page text NOT NULL, seconds integer NOT NULL);",
		"-- +goose Up\nALTER TABLE visits ADD COLUMN referrer text NULL;\n-- +goose Down\nALTER TABLE visits DROP COLUMN referrer;",
		"-- +goose NO TRANSACTION\n-- +goose Up\nCREATE INDEX CONCURRENTLY visit_page ON visits (page, id);\n-- +goose Down\nDROP INDEX CONCURRENTLY visit_page;",
		"-- +goose Up\nALTER TABLE visits ADD CONSTRAINT visits_seconds CHECK (seconds >= 0) NOT VALID;\n-- +goose Down\nALTER TABLE visits DROP CONSTRAINT visits_seconds;",
		"-- +goose Up\nALTER TABLE visits VALIDATE CONSTRAINT visits_seconds;",
	)
}

// A table of a million rows is changed while clients read and write it, and while one of them
// holds a lock for long. No client may fail, no row may be lost, and statements that come after
// the migration's must not wait until it has its lock.
func TestLargeTableUnderLoad(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("fills a table with a million rows")
	}
	db := mustOpen(t, dbtest.EmptyPostgres(t))
	if err := db.Source(large()).UpTo(t.Context(), db.DB, 20260101000001, time.Second, discard); err != nil {
		t.Fatal(err)
	}
	db.MustExec(t, "INSERT INTO visits (page, seconds) SELECT 'page ' || n % 1000, n % 60 FROM generate_series(1, $1) AS n", million)

	// Whoever reads in a transaction keeps the table from being changed until that ends.
	holder, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer holder.Rollback()
	if _, err := holder.Exec("SELECT FROM visits LIMIT 1"); err != nil {
		t.Fatal(err)
	}
	load := startLoad(t, db)
	log := waitFor("try=2")
	done := make(chan error, 1)
	go func() {
		done <- db.Source(large()).UpTo(t.Context(), db.DB, 20260101000005, 50*time.Millisecond, logTo(log))
	}()
	select {
	case err := <-done:
		t.Fatalf("the migration did not wait for the lock: %v\n%s", err, log)
	case <-log.came:
	case <-time.After(time.Minute):
		t.Fatal("in a minute the migration did not give up waiting for the lock: all that came later waits behind it")
	}
	load.waitForMore(t) // while the migration still waits: the holder keeps its lock
	if n := db.Count(t, "SELECT count(*) FROM goose_db_version WHERE version_id > 0"); n != 1 {
		t.Errorf("%d versions are applied while the table is locked, want 1", n)
	}
	if err := holder.Commit(); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatalf("%v\n%s", err, log)
	}
	load.waitForMore(t)
	load.stop(t)

	if err := db.Source(large()).Check(t.Context(), db.DB); err != nil {
		t.Error(err)
	}
	if n := db.Count(t, "SELECT count(*) FROM pg_index WHERE indexrelid = 'visit_page'::regclass AND indisvalid"); n != 1 {
		t.Error("there is no valid index")
	}
	if n, want := db.Count(t, "SELECT count(*) FROM visits"), million+int(load.inserted.Load()); n != want {
		t.Errorf("%d rows, want %d", n, want)
	}
	if n, want := db.Count(t, "SELECT sum(seconds) - (SELECT sum(n % 60) FROM generate_series(1, 1000000) AS n) FROM visits"), int(load.added.Load()); n != want {
		t.Errorf("%d seconds were added, want %d", n, want)
	}
}

// A load reads and writes the table visits until it is stopped.
type load struct {
	cancel          context.CancelFunc
	people          sync.WaitGroup
	errs            chan error
	read            atomic.Int64
	inserted, added atomic.Int64 // rows; seconds, which each row gets one of at a time
}

func startLoad(t *testing.T, db database) *load {
	ctx, cancel := context.WithCancel(t.Context())
	c := &load{cancel: cancel, errs: make(chan error, 4)}
	for i := range 2 {
		for _, person := range []func(*sql.DB, int) error{c.reader, c.writer} {
			c.people.Go(func() {
				var err error
				for n := i; err == nil && ctx.Err() == nil; n += 2 {
					err = person(db.DB, n)
				}
				c.errs <- err
			})
		}
	}
	return c
}

func (c *load) reader(db *sql.DB, n int) error {
	var seconds int
	if err := db.QueryRow("SELECT seconds FROM visits WHERE id = $1", 1+n%million).Scan(&seconds); err != nil {
		return fmt.Errorf("read: %w", err)
	}
	c.read.Add(1)
	return nil
}

// writer changes an old row and inserts one, in a transaction.
func (c *load) writer(db *sql.DB, n int) error {
	tx, err := db.Begin()
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if _, err := tx.Exec("UPDATE visits SET seconds = seconds + 1 WHERE id = $1", 1+n%million); err != nil {
		return fmt.Errorf("update: %w", err)
	}
	if _, err := tx.Exec("INSERT INTO visits (page, seconds) VALUES ('new', 0)"); err != nil {
		return fmt.Errorf("insert: %w", err)
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	c.added.Add(1)
	c.inserted.Add(1)
	return nil
}

// waitForMore waits until some more rows have been read and written.
func (c *load) waitForMore(t *testing.T) {
	t.Helper()
	read, written := c.read.Load(), c.inserted.Load()
	for deadline := time.Now().Add(time.Minute); c.read.Load() < read+20 || c.inserted.Load() < written+20; time.Sleep(5 * time.Millisecond) {
		if len(c.errs) > 0 || time.Now().After(deadline) {
			t.Fatalf("%d reads and %d writes got through, want 20 of each", c.read.Load()-read, c.inserted.Load()-written)
		}
	}
}

// stop ends the load and reports its errors.
func (c *load) stop(t *testing.T) {
	t.Helper()
	c.cancel()
	c.people.Wait()
	close(c.errs)
	var all error
	for err := range c.errs {
		all = errors.Join(all, err)
	}
	if all != nil {
		t.Error(all)
	}
}
