package migrator_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"forge/internal/migrator"
	"forge/migrate"
	"forge/test/dbtest"
)

const concurrentIndex = `-- +goose NO TRANSACTION
-- +goose Up
CREATE UNIQUE INDEX CONCURRENTLY "hero_age" ON heroes (age);
-- +goose Down
DROP INDEX CONCURRENTLY hero_age;
`

// withIndex returns heroes and a version that builds an index outside of a transaction.
func withIndex() fstest.MapFS {
	files := heroes()
	files["20260101000003_index.sql"] = &fstest.MapFile{Data: []byte(concurrentIndex)}
	return files
}

func TestConcurrentIndex(t *testing.T) {
	t.Parallel()
	db := mustOpen(t, dbtest.EmptyPostgres(t))
	for range 2 {
		mustUp(t, db, withIndex())
		if err := db.Source(withIndex()).Check(t.Context(), db.DB); err != nil {
			t.Error(err)
		}
		if n := db.Count(t, "SELECT count(*) FROM pg_indexes WHERE indexname = 'hero_age'"); n != 1 {
			t.Error("there is no index")
		}
		if err := db.Source(withIndex()).Down(t.Context(), db.DB, 1, true, migrator.LockTimeout, discard); err != nil {
			t.Fatal(err)
		}
		if err := db.Source(heroes()).Check(t.Context(), db.DB); err != nil {
			t.Error(err)
		}
	}
	if n := db.Count(t, "SELECT count(*) FROM goose_db_version WHERE NOT is_applied"); n != 0 {
		t.Errorf("%d marks of steps that have begun are left", n)
	}
}

// SQLite runs such a file within the usual transaction.
func TestOutsideOfATransactionOnSQLite(t *testing.T) {
	t.Parallel()
	db := mustOpen(t, dbtest.EmptySQLite(t))
	files := heroes()
	files["20260101000003_index.sql"] = &fstest.MapFile{Data: []byte(strings.ReplaceAll(concurrentIndex, "CONCURRENTLY", ""))}
	files["20260101000004_bad.sql"] = &fstest.MapFile{Data: []byte("-- +goose Up\nSELECT nowhere;")}
	if err := db.Source(files).Up(t.Context(), db.DB, discard); err == nil || !strings.Contains(err.Error(), "nothing was kept") {
		t.Errorf("Up: %v, want that nothing was kept", err)
	}
	if all := db.everything(t); len(all) > 0 {
		t.Errorf("it left %q", all)
	}
	delete(files, "20260101000004_bad.sql")
	mustUp(t, db, files)
	if err := db.Source(files).Check(t.Context(), db.DB); err != nil {
		t.Error(err)
	}
}

// An index that cannot be built leaves nothing behind. Once the rows are corrected, it is built.
func TestConcurrentIndexThatFails(t *testing.T) {
	t.Parallel()
	db := mustOpen(t, dbtest.EmptyPostgres(t))
	mustUp(t, db, heroes())
	db.MustExec(t, "INSERT INTO heroes VALUES (1, 'a', 7), (2, 'b', 7)")
	before := db.everything(t)
	for range 2 {
		err := db.Source(withIndex()).Up(t.Context(), db.DB, discard)
		for _, want := range []string{"20260101000003_index.sql, line 3: statement 1 of its up section failed", "23505", "Key (age)=(7) is duplicated",
			"nothing of this file was kept"} {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("Up: %v, want %q", err, want)
			}
		}
		if after := db.everything(t); !slices.Equal(before, after) {
			t.Errorf("it left\n%q, want\n%q", after, before)
		}
		if n := db.Count(t, "SELECT count(*) FROM pg_index WHERE NOT indisvalid"); n != 0 {
			t.Error("an invalid index is left")
		}
	}
	db.MustExec(t, "DELETE FROM heroes WHERE id = 2")
	mustUp(t, db, withIndex())
	if err := db.Source(withIndex()).Check(t.Context(), db.DB); err != nil {
		t.Error(err)
	}
}

// Only the index of the step is removed. An index of the same name that existed before stays,
// valid or not.
func TestConcurrentIndexOfSomebodyElse(t *testing.T) {
	t.Parallel()
	for name, invalid := range map[string]bool{"valid": false, "invalid": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := mustOpen(t, dbtest.EmptyPostgres(t))
			mustUp(t, db, heroes())
			// No version has made this table, so the index on it does not count as drift.
			db.MustExec(t, "CREATE TABLE theirs (n integer)")
			db.MustExec(t, "INSERT INTO theirs VALUES (1)")
			db.MustExec(t, "CREATE INDEX hero_age ON theirs (n)")
			if invalid {
				db.MustExec(t, "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'hero_age'::regclass")
			}
			before := db.everything(t)
			err := db.Source(withIndex()).Up(t.Context(), db.DB, discard)
			if err == nil || !strings.Contains(err.Error(), `relation "hero_age" already exists`) {
				t.Errorf("Up: %v, want that the name is taken", err)
			}
			if after := db.everything(t); !slices.Equal(before, after) {
				t.Errorf("it left\n%q, want\n%q", after, before)
			}
		})
	}
}

// A session that is killed while it builds leaves an invalid index. Servers of the previous build
// stay ready, status shows it, and the next up removes it.
func TestConcurrentIndexThatIsKilled(t *testing.T) {
	t.Parallel()
	db := mustOpen(t, dbtest.EmptyPostgres(t))
	mustUp(t, db, heroes())
	// The build has to wait for this transaction.
	holder, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer holder.Rollback()
	if _, err := holder.Exec("INSERT INTO heroes VALUES (1, 'a', 7)"); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() {
		done <- db.Source(withIndex()).UpTo(t.Context(), db.DB, 20260101000003, 20*time.Millisecond, discard)
	}()
	const building = "FROM pg_stat_activity WHERE query LIKE 'CREATE UNIQUE INDEX CONCURRENTLY%' AND wait_event_type = 'Lock' AND datname = current_database()" +
		" AND query_start < now() - interval '200 ms'" // the limit for locks is not for this
	db.waitUntil(t, "SELECT count(*) > 0 "+building)

	// While it is built:
	if err := db.Source(heroes()).Check(t.Context(), db.DB); err != nil {
		t.Errorf("Check of the build before: %v", err)
	}
	report, err := db.Source(withIndex()).Status(t.Context(), db.DB)
	if err != nil || !report.Versions[2].Begun {
		t.Errorf("Status: %+v, %v, want that the third has begun", report, err)
	}
	var out strings.Builder
	if err := report.Write(&out); err != nil || !strings.Contains(out.String(), "pending, begun and not ended") {
		t.Errorf("%v, status says\n%s", err, &out)
	}

	db.MustExec(t, "SELECT pg_terminate_backend(pid) "+building)
	if err := <-done; err == nil || !strings.Contains(err.Error(), "the index hero_age may be left") {
		t.Errorf("Up: %v, want that the index may be left", err)
	}
	if n := db.Count(t, "SELECT count(*) FROM pg_index WHERE NOT indisvalid"); n != 1 {
		t.Fatalf("%d invalid indexes, want 1: this test tests nothing", n)
	}
	if err := db.Source(heroes()).Check(t.Context(), db.DB); err != nil {
		t.Errorf("Check of the build before: %v", err)
	}
	err = db.Source(withIndex()).Check(t.Context(), db.DB)
	if _, ok := errors.AsType[*migrator.PendingError](err); !ok {
		t.Errorf("Check: %v, want a PendingError", err)
	}
	if err := holder.Commit(); err != nil {
		t.Fatal(err)
	}
	db.MustExec(t, "CREATE TABLE resumed AS SELECT now() AT TIME ZONE 'UTC' AS at")
	mustUp(t, db, withIndex())
	if n := db.Count(t, "SELECT count(*) FROM goose_db_version, resumed WHERE version_id = 20260101000003 AND tstamp > at"); n != 1 {
		t.Error("it is said to be applied when it was first begun")
	}
	if n := db.Count(t, "SELECT count(*) FROM pg_index WHERE indexrelid = 'hero_age'::regclass AND indisvalid"); n != 1 {
		t.Error("the index is not valid")
	}
	if err := db.Source(withIndex()).Check(t.Context(), db.DB); err != nil {
		t.Error(err)
	}
}

// The server finishes the statement although the process that sent it has ended.
func TestConcurrentIndexThatNobodyRecorded(t *testing.T) {
	t.Parallel()
	db := mustOpen(t, dbtest.EmptyPostgres(t))
	mustUp(t, db, withIndex())

	// Built, and not recorded: it is not built again.
	db.MustExec(t, "UPDATE goose_db_version SET is_applied = false, schema = 'hero_age' WHERE version_id = 20260101000003")
	made := db.texts(t, "SELECT 'hero_age'::regclass::oid::text")
	mustUp(t, db, withIndex())
	if got := db.texts(t, "SELECT 'hero_age'::regclass::oid::text"); !slices.Equal(got, made) {
		t.Error("the index was built again")
	}

	// The same by a file that has changed since: what it says now is built.
	db.MustExec(t, "UPDATE goose_db_version SET is_applied = false, schema = 'hero_age', checksum = 'other' WHERE version_id = 20260101000003")
	mustUp(t, db, withIndex())
	if got := db.texts(t, "SELECT 'hero_age'::regclass::oid::text"); slices.Equal(got, made) {
		t.Error("the index of another file was taken for this one's")
	}

	// Dropped, and not recorded.
	db.MustExec(t, "INSERT INTO goose_db_version (version_id, is_applied, checksum, schema) SELECT version_id, false, checksum, 'hero_age' FROM goose_db_version WHERE version_id = 20260101000003")
	db.MustExec(t, "DROP INDEX hero_age")
	for what, run := range map[string]func() error{
		"Check": func() error { return db.Source(withIndex()).Check(t.Context(), db.DB) },
		"Up":    func() error { return db.Source(withFourth(withIndex())).Up(t.Context(), db.DB, discard) },
	} {
		err := run()
		if _, ok := errors.AsType[*migrator.UnfinishedError](err); !ok || !strings.Contains(err.Error(), "20260101000003_index") {
			t.Errorf("%s: %v, want an UnfinishedError that names the third", what, err)
		}
	}
	if err := db.Source(withIndex()).Down(t.Context(), db.DB, 1, true, migrator.LockTimeout, discard); err != nil {
		t.Fatal(err)
	}
	if err := db.Source(heroes()).Check(t.Context(), db.DB); err != nil {
		t.Error(err)
	}
	if n := db.Count(t, "SELECT count(*) FROM goose_db_version WHERE NOT is_applied"); n != 0 {
		t.Errorf("%d marks are left", n)
	}
}

func withFourth(files fstest.MapFS) fstest.MapFS {
	files["20260101000004_step.sql"] = &fstest.MapFile{Data: []byte("-- +goose Up\nCREATE TABLE fourth (n integer);\n-- +goose Down\nDROP TABLE fourth;\n")}
	return files
}

// A health check does not wait for a table that somebody has locked.
func TestStatusWaitsForNobody(t *testing.T) {
	t.Parallel()
	db := mustOpen(t, dbtest.Postgres(t))
	holder, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer holder.Rollback()
	if _, err := holder.Exec("LOCK TABLE heroes"); err != nil {
		t.Fatal(err)
	}
	report, err := migrator.New(migrate.Files, db.Dialect).Status(t.Context(), db.DB)
	if err != nil {
		t.Fatal(err)
	}
	if report.Drift.NotCompared == "" || report.Err() != nil {
		t.Errorf("drift %+v, %v, want that it was not compared, and no error", report.Drift, report.Err())
	}
	if err := holder.Rollback(); err != nil {
		t.Fatal(err)
	}
	if report, err = migrator.New(migrate.Files, db.Dialect).Status(t.Context(), db.DB); err != nil || report.Drift.NotCompared != "" {
		t.Errorf("drift %+v, %v, want a comparison", report.Drift, err)
	}
}
