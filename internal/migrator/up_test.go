package migrator_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"entgo.io/ent/dialect"

	"forge/internal/migrator"
	"forge/migrate"
	"forge/test/dbtest"
)

// lines is a log that signals when a line with a word comes.
type lines struct {
	mu   sync.Mutex
	all  bytes.Buffer
	came chan struct{} // closed then
	word string
}

func waitFor(word string) *lines { return &lines{came: make(chan struct{}), word: word} }

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all.Write(p)
	if l.word != "" && strings.Contains(l.all.String(), l.word) {
		close(l.came)
		l.word = ""
	}
	return len(p), nil
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all.String()
}

func logTo(w io.Writer) *slog.Logger { return slog.New(slog.NewTextHandler(w, nil)) }

func TestUpTo(t *testing.T) {
	t.Parallel()
	eachEmpty(t, func(t *testing.T, db database) {
		files := withThird(heroes())
		for _, tt := range []struct {
			to, applied int64
		}{{20260101000001, 1}, {20260101000002, 2}, {20260101000001, 2}, {20260101000003, 3}} {
			if err := db.Source(files).UpTo(t.Context(), db.DB, tt.to, time.Second, discard); err != nil {
				t.Fatal(err)
			}
			if n := db.Count(t, "SELECT count(*) FROM goose_db_version WHERE version_id > 0"); int64(n) != tt.applied {
				t.Errorf("up to %d: %d versions, want %d", tt.to, n, tt.applied)
			}
		}
	})
}

func TestFind(t *testing.T) {
	t.Parallel()
	for _, name := range []string{dialect.Postgres, dialect.SQLite} {
		for _, text := range []string{"20261123032934", "20261123032934_init", "20261123032934_init.sql"} {
			if v, err := migrator.New(migrate.Files, name).Find(text); err != nil || v.Number != 20261123032934 {
				t.Errorf("Find(%q) = %v, %v", text, v, err)
			}
		}
		for _, text := range []string{"", "init", "2026", "20261123032934_other", "0", "-1"} {
			if _, err := migrator.New(migrate.Files, name).Find(text); err == nil || !strings.Contains(err.Error(), "allowed: ") ||
				!strings.Contains(err.Error(), "20261123032934_init") || !strings.Contains(err.Error(), `"`+text+`"`) {
				t.Errorf("Find(%q): %v, want an error that lists what is allowed", text, err)
			}
		}
	}
}

// If the third statement fails, nothing of the file stays, and the error names the statement, its
// place and the reason.
func TestFailingStatement(t *testing.T) {
	t.Parallel()
	eachEmpty(t, func(t *testing.T, db database) {
		files := heroes()
		mustUp(t, db, files)
		db.MustExec(t, "INSERT INTO heroes (id, name) VALUES (1, 'a'), (2, 'a')")
		before := db.everything(t)
		files["20260101000003_bad.sql"] = &fstest.MapFile{Data: []byte(`-- +goose Up
-- a comment
CREATE TABLE extra (n integer);

UPDATE heroes
  SET age = 7;
-- another
  ALTER TABLE heroes
    RENAME COLUMN nowhere TO somewhere;
CREATE TABLE more (n integer);
`)}
		err := db.Source(files).Up(t.Context(), db.DB, discard)
		step, ok := errors.AsType[*migrator.StepError](err)
		if !ok {
			t.Fatalf("Up: %v, want a StepError", err)
		}
		if step.File != "20260101000003_bad.sql" || step.Statement != 3 || step.Line != 8 || step.Down {
			t.Errorf("%+v, want statement 3 of line 8", step)
		}
		wants := []string{"20260101000003_bad.sql, line 8: statement 3 of its up section failed", "nowhere", "was kept"}
		if db.Dialect == dialect.Postgres {
			wants = append(wants, "(42703)", `at 9:5, near "RENAME COLUMN`)
			// PostgreSQL has no position for this one; see TestFailingPosition.
			wants = wants[:len(wants)-1]
		}
		for _, want := range wants {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%q does not say %q", err, want)
			}
		}
		if after := db.everything(t); !slices.Equal(before, after) {
			t.Errorf("it left\n%q, want\n%q", after, before)
		}
		if n := db.Count(t, "SELECT count(*) FROM heroes WHERE age = 7"); n != 0 {
			t.Errorf("%d rows are changed", n)
		}
		if err := db.Source(heroes()).Check(t.Context(), db.DB); err != nil {
			t.Errorf("Check: %v", err)
		}
	})
}

// PostgreSQL reports a position within the statement. The error gives the line of the file.
func TestFailingPosition(t *testing.T) {
	t.Parallel()
	db := mustOpen(t, dbtest.EmptyPostgres(t))
	for text, want := range map[string]string{
		"-- +goose Up\n\n  SELECT 'ä', nowhere\n  FROM pg_class;":                                                           "line 3: statement 1 of its up section failed: column \"nowhere\" does not exist (42703) at 3:15, near \"nowhere FROM pg_class;\"",
		"-- +goose Up\r\nSELECT 1;\r\n-- two\r\nSELECT\r\n 'ä' || nowhere;\r\n":                                             "line 4: statement 2 of its up section failed: column \"nowhere\" does not exist (42703) at 5:9, near \"nowhere;\"",
		"-- +goose Up\nSELECT 1;\n  \n-- goose keeps this\nSELEC 2;":                                                        "line 5: statement 2 of its up section failed: syntax error at or near \"SELEC\" (42601) at 5:1",
		"-- +goose Up\n-- +goose StatementBegin\nDO $$\nBEGIN\n  PERFORM 1;\n  RAISE 'no';\nEND $$\n-- +goose StatementEnd": "line 3: statement 1 of its up section failed: no (P0001)",
		"-- +goose Up\nCREATE TABLE t (n integer PRIMARY KEY);\nINSERT INTO t VALUES (1);\nINSERT INTO t VALUES (1);":       "line 4: statement 3 of its up section failed: duplicate key value violates unique constraint \"t_pkey\" (23505); Key (n)=(1) already exists",
		"-- +goose Up\nCREATE TABLE t (n integer UNIQUE DEFERRABLE INITIALLY DEFERRED);\nINSERT INTO t VALUES (1), (1);":    "20260101000001_step.sql: the end of its up section failed: duplicate key value violates unique constraint",
	} {
		err := db.Source(steps(text)).Up(t.Context(), db.DB, discard)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q:\n%v, want\n%s", text, err, want)
		}
		if left := db.Tables(t); len(left) > 0 {
			t.Errorf("%q left %v", text, left)
		}
	}
}

// A file that cannot be run is found before any file runs.
func TestUnreadableFilesRunNothing(t *testing.T) {
	t.Parallel()
	const good = "-- +goose Up\nCREATE TABLE good (n integer);"
	eachEmpty(t, func(t *testing.T, db database) {
		for bad, want := range map[string]string{
			"CREATE TABLE bad (n integer);":                "line 1: this stands before the mark",
			"-- nothing":                                   "line 1: the mark \"-- +goose Up\" is missing",
			"-- +goose Up\nCREATE TABLE bad (\nn integer)": "line 3: the last statement has no end",
			"-- +goose Up\nCREATE TABLE bad (n integer)\n-- +goose Down\nDROP TABLE bad;":             "line 2: the statement that begins here has no end",
			"-- +goose Up\n-- +goose ENVSUB ON\nCREATE TABLE bad (n integer);":                        "line 2: the mark \"-- +goose ENVSUB ON\" is not allowed; allowed: Up",
			"-- +goose Up\n-- +goose Dwn\nDROP TABLE bad;":                                            "Dwn",
			"-- +goose NO TRANSACTION\n-- +goose Up\nSELECT 1;\n\nSELECT 2;":                          "line 5: a second statement",
			"-- +goose NO TRANSACTION\n-- +goose Up\nSELECT 1;\n-- +goose Down\nSELECT 1;\nSELECT 2;": "line 6: a second statement",
			"-- +goose NO TRANSACTION\n-- +goose Up\nCREATE INDEX CONCURRENTLY ON good (n);":          "line 3: the index needs a name",
		} {
			err := db.Source(steps(good, bad)).Up(t.Context(), db.DB, discard)
			if err == nil || !strings.Contains(err.Error(), "20260101000002_step.sql") || !strings.Contains(err.Error(), want) {
				t.Errorf("%q: %v, want %q", bad, err, want)
			}
			if all := db.everything(t); len(all) > 0 {
				t.Fatalf("%q: it ran %q", bad, all)
			}
		}
	})
}

// A step that does not get its lock in time is tried again. Other statements run in between.
func TestLockIsWaitedOutByTries(t *testing.T) {
	t.Parallel()
	db := mustOpen(t, dbtest.EmptyPostgres(t))
	files := heroes()
	mustUp(t, db, files)
	holder, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer holder.Rollback()
	if _, err := holder.Exec("LOCK TABLE heroes IN ACCESS SHARE MODE"); err != nil {
		t.Fatal(err)
	}
	files["20260101000003_lock.sql"] = &fstest.MapFile{Data: []byte("-- +goose Up\nCREATE TABLE before (n integer);\nALTER TABLE heroes ADD COLUMN more text;")}
	log := waitFor("try=2")
	done := make(chan error, 1)
	go func() {
		done <- db.Source(files).UpTo(t.Context(), db.DB, 20260101000003, 20*time.Millisecond, logTo(log))
	}()
	select {
	case err := <-done:
		t.Fatalf("it did not wait: %v\n%s", err, log)
	case <-log.came:
	}
	if err := holder.Rollback(); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatalf("%v\n%s", err, log)
	}
	for _, want := range []string{"try=1 of=10", "20260101000003_lock.sql", "55P03", "applied migration"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log does not say %q:\n%s", want, log)
		}
	}
	if err := db.Source(files).Check(t.Context(), db.DB); err != nil {
		t.Error(err)
	}
}

// In a deadlock PostgreSQL cancels the migration, which is then tried again.
func TestDeadlockIsTriedAgain(t *testing.T) {
	t.Parallel()
	db := mustOpen(t, dbtest.EmptyPostgres(t))
	files := steps("-- +goose Up\nCREATE TABLE a (n integer);\nCREATE TABLE b (n integer);")
	mustUp(t, db, files)
	// The trigger lets the other session into the way between the two statements, once.
	for _, s := range []string{
		"CREATE TABLE theirs (n integer)", "INSERT INTO a VALUES (1)", "INSERT INTO theirs VALUES (1)",
	} {
		db.MustExec(t, s)
	}
	other, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	for _, s := range []string{"SET deadlock_timeout = '1h'", "BEGIN", "LOCK TABLE b IN SHARE MODE"} {
		if _, err := other.ExecContext(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
	files["20260101000002_step.sql"] = &fstest.MapFile{Data: []byte("-- +goose Up\nALTER TABLE a ADD COLUMN x text;\nALTER TABLE b ADD COLUMN x text;")}
	log := waitFor("40P01")
	done := make(chan error, 1)
	go func() {
		done <- db.Source(files).UpTo(t.Context(), db.DB, 20260101000002, time.Minute, logTo(log))
	}()
	db.waitUntil(t, "SELECT count(*) > 0 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE 'ALTER TABLE b%' AND datname = current_database()")
	if _, err := other.ExecContext(t.Context(), "LOCK TABLE a IN SHARE MODE"); err != nil {
		t.Fatalf("the other session was given up: %v", err)
	}
	<-log.came
	if _, err := other.ExecContext(t.Context(), "COMMIT"); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatalf("%v\n%s", err, log)
	}
}

// waitUntil repeats a query until it returns true.
func (db database) waitUntil(t *testing.T, query string) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		var yes bool
		if err := db.QueryRowContext(t.Context(), query).Scan(&yes); err != nil {
			t.Fatalf("%s: %v", query, err)
		}
		if yes {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("waited a minute in vain: %s", query)
		}
	}
}

// The timeouts of a pool do not interrupt a migration, and apply to the next user of the
// connection again.
func TestLimitsOfThePool(t *testing.T) {
	t.Parallel()
	db := mustOpen(t, dbtest.EmptyPostgres(t)+"&statement_timeout=300&idle_in_transaction_session_timeout=300&lock_timeout=7000")
	db.SetMaxOpenConns(1)
	files := steps(`-- +goose Up
CREATE TABLE limits (name text, value text);
SELECT pg_sleep(0.5);
INSERT INTO limits SELECT name, setting FROM pg_settings WHERE name IN ('statement_timeout', 'idle_in_transaction_session_timeout', 'lock_timeout');
`)
	mustUp(t, db, files)
	if got, want := db.texts(t, "SELECT name || '=' || value FROM limits ORDER BY 1"),
		[]string{"idle_in_transaction_session_timeout=0", "lock_timeout=3000", "statement_timeout=0"}; !slices.Equal(got, want) {
		t.Errorf("a migration has the limits %q, want %q", got, want)
	}
	if got, want := db.texts(t, "SELECT name || '=' || setting FROM pg_settings WHERE name IN ('statement_timeout', 'idle_in_transaction_session_timeout', 'lock_timeout') ORDER BY 1"),
		[]string{"idle_in_transaction_session_timeout=300", "lock_timeout=7000", "statement_timeout=300"}; !slices.Equal(got, want) {
		t.Errorf("afterwards the pool has %q, want %q", got, want)
	}
	if n := db.Count(t, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"); n != 0 {
		t.Errorf("%d advisory locks are left", n)
	}
}

// A session that is killed within a step leaves nothing behind, and the next Up works.
func TestKilledMidStep(t *testing.T) {
	t.Parallel()
	db := mustOpen(t, dbtest.EmptyPostgres(t))
	files := heroes()
	mustUp(t, db, files)
	before := db.everything(t)
	slow := withThird(heroes())
	slow["20260101000003_step.sql"] = &fstest.MapFile{Data: []byte("-- +goose Up\nCREATE TABLE third (n integer);\nSELECT pg_sleep(60);\n-- +goose Down\nDROP TABLE third;\n")}
	done := make(chan error, 1)
	go func() { done <- db.Source(slow).Up(t.Context(), db.DB, discard) }()
	const sleeping = "FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep(60)%' AND state = 'active' AND datname = current_database()"
	db.waitUntil(t, "SELECT count(*) > 0 "+sleeping)
	db.MustExec(t, "SELECT pg_terminate_backend(pid) "+sleeping)
	err := <-done
	if step, ok := errors.AsType[*migrator.StepError](err); !ok || step.Statement != 2 || strings.Contains(err.Error(), "migration lock") {
		t.Errorf("Up: %v, want a StepError for statement 2 and no more", err)
	}
	if after := db.everything(t); !slices.Equal(before, after) {
		t.Errorf("it left\n%q, want\n%q", after, before)
	}
	mustUp(t, db, withThird(heroes()))
	if err := db.Source(withThird(heroes())).Check(t.Context(), db.DB); err != nil {
		t.Error(err)
	}
}

// A cancelled context ends the pause between two tries at once.
func TestGivenUpBetweenTries(t *testing.T) {
	t.Parallel()
	db := mustOpen(t, dbtest.EmptyPostgres(t))
	files := heroes()
	mustUp(t, db, files)
	holder, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer holder.Rollback()
	if _, err := holder.Exec("LOCK TABLE heroes"); err != nil {
		t.Fatal(err)
	}
	files["20260101000003_lock.sql"] = &fstest.MapFile{Data: []byte("-- +goose Up\nALTER TABLE heroes ADD COLUMN more text;")}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	log := waitFor("try=1")
	done := make(chan error, 1)
	go func() {
		done <- db.Source(files).UpTo(ctx, db.DB, 20260101000003, 10*time.Millisecond, logTo(log))
	}()
	<-log.came
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("Up: %v, want %v", err, context.Canceled)
	}
}
