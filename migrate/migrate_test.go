package migrate_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"entgo.io/ent/dialect"
	"github.com/pressly/goose/v3/lock"

	"forge/migrate"
	"forge/test/dbtest"
)

// A database is one that a test migrates.
type database struct {
	*sql.DB
	url, dialect string
}

// eachEmpty runs test on databases of both kinds that were never migrated.
func eachEmpty(t *testing.T, test func(t *testing.T, db database)) {
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		test(t, mustOpen(t, dbtest.EmptySQLite(t)))
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		test(t, mustOpen(t, dbtest.EmptyPostgres(t)))
	})
}

// mustOpen opens a database the way the server does as far as it matters here:
// SQLite with foreign keys, and waiting for other writers.
func mustOpen(t *testing.T, url string) database {
	t.Helper()
	db, err := open(url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func open(url string) (database, error) {
	driver, source, name := "postgres", url, dialect.Postgres
	if path, ok := strings.CutPrefix(url, "sqlite:"); ok {
		driver, name = "sqlite", dialect.SQLite
		source = "file:" + path
		if strings.Contains(path, "?") {
			source += "&" // a test's own options
		} else {
			source += "?_pragma=journal_mode(WAL)&_pragma=busy_timeout(5000)&"
		}
		source += "_pragma=foreign_keys(1)"
	}
	db, err := sql.Open(driver, source)
	return database{db, url, name}, err
}

// mustExec runs a statement that the test takes for granted.
func (db database) mustExec(t *testing.T, query string, args ...any) {
	t.Helper()
	if _, err := db.ExecContext(t.Context(), query, args...); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}

// count returns the one number that query selects.
func (db database) count(t *testing.T, query string) (n int) {
	t.Helper()
	if err := db.QueryRowContext(t.Context(), query).Scan(&n); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return n
}

// tables lists the tables that the database has, besides goose's.
func (db database) tables(t *testing.T) []string {
	t.Helper()
	query := "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"
	if db.dialect == dialect.SQLite {
		query = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
	}
	rows, err := db.Query(query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	names := []string{}
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			t.Fatal(err)
		}
		if name != "goose_db_version" {
			names = append(names, name)
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	slices.Sort(names)
	return names
}

// steps returns migration files, one for each text, numbered from 1.
func steps(texts ...string) fstest.MapFS {
	files := fstest.MapFS{}
	for i, text := range texts {
		files["2026010100000"+string(rune('1'+i))+"_step.sql"] = &fstest.MapFile{Data: []byte(text)}
	}
	return files
}

var discard = slog.New(slog.DiscardHandler)

func mustUp(t *testing.T, db database, files fs.FS) {
	t.Helper()
	if err := migrate.UpFiles(t.Context(), db.DB, db.dialect, files, discard); err != nil {
		t.Fatal(err)
	}
}

func TestUp(t *testing.T) {
	t.Parallel()
	eachEmpty(t, func(t *testing.T, db database) {
		for _, tt := range []struct {
			run     string
			applies bool
		}{{"first", true}, {"second", false}} {
			var log bytes.Buffer
			if err := migrate.Up(t.Context(), db.DB, db.dialect, slog.New(slog.NewTextHandler(&log, nil))); err != nil {
				t.Fatalf("%s Up: %v", tt.run, err)
			}
			if got := strings.Contains(log.String(), "_init.sql"); got != tt.applies {
				t.Errorf("%s Up: applied the first version: %t, want %t; it logged\n%s", tt.run, got, tt.applies, &log)
			}
			if err := migrate.Check(t.Context(), db.DB, db.dialect); err != nil {
				t.Errorf("Check after the %s Up: %v", tt.run, err)
			}
		}
		want := []string{"heroes", "inventories", "order_items", "orders", "products", "teams", "users"}
		got := db.tables(t)
		for _, table := range want {
			if !slices.Contains(got, table) {
				t.Errorf("the tables are %v, want %s among them", got, table)
			}
		}
	})
}

func TestUpManyAtOnce(t *testing.T) {
	t.Parallel()
	// None of them can be repeated without leaving a trace.
	files := steps(
		"-- +goose Up\nCREATE TABLE counts (n integer NOT NULL);\nINSERT INTO counts VALUES (1);",
		"-- +goose Up\nINSERT INTO counts VALUES (2);",
		"-- +goose Up\nUPDATE counts SET n = n + 10;",
	)
	eachEmpty(t, func(t *testing.T, db database) {
		var wg sync.WaitGroup
		errs := make([]error, 10)
		for i := range errs {
			other := mustOpen(t, db.url)
			wg.Go(func() {
				errs[i] = migrate.UpFiles(t.Context(), other.DB, other.dialect, files, discard)
			})
		}
		wg.Wait()
		if err := errors.Join(errs...); err != nil {
			t.Fatal(err)
		}
		if rows, sum := db.count(t, "SELECT count(*) FROM counts"), db.count(t, "SELECT sum(n) FROM counts"); rows != 2 || sum != 23 {
			t.Errorf("%d rows with the sum %d, want 2 with 23: a file was not applied exactly once", rows, sum)
		}
		if n := db.count(t, "SELECT count(*) FROM goose_db_version WHERE version_id > 0"); n != 3 {
			t.Errorf("%d versions are recorded, want 3", n)
		}
	})
}

// asChild makes this test binary migrate the database at a URL and end.
const asChild = "FORGE_MIGRATE_CHILD"

func TestMain(m *testing.M) {
	if url := os.Getenv(asChild); url != "" {
		if err := upAt(url); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

func upAt(url string) error {
	db, err := open(url)
	if err != nil {
		return err
	}
	defer db.Close()
	return migrate.Up(context.Background(), db.DB, db.dialect, discard)
}

func TestUpFromManyProcesses(t *testing.T) {
	t.Parallel()
	eachEmpty(t, func(t *testing.T, db database) {
		var wg sync.WaitGroup
		for range 10 {
			wg.Go(func() {
				cmd := exec.Command(os.Args[0])
				cmd.Env = append(os.Environ(), asChild+"="+db.url)
				if output, err := cmd.CombinedOutput(); err != nil {
					t.Errorf("%v: %s", err, output)
				}
			})
		}
		wg.Wait()
		if err := migrate.Check(t.Context(), db.DB, db.dialect); err != nil {
			t.Error(err)
		}
		if n := db.count(t, "SELECT count(*) - count(DISTINCT version_id) FROM goose_db_version"); n != 0 {
			t.Errorf("%d versions were applied twice", n)
		}
	})
}

// A server starts at once when there is nothing to do, whoever is writing.
func TestUpWithNothingToDoTakesNoLock(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) {
		writer, err := mustOpen(t, url).Conn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer writer.Close()
		db := mustOpen(t, url)
		hold := "BEGIN IMMEDIATE"
		if db.dialect == dialect.Postgres {
			hold = fmt.Sprintf("SELECT pg_advisory_lock(%d)", lock.DefaultLockID)
		}
		if _, err := writer.ExecContext(t.Context(), hold); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := migrate.Up(ctx, db.DB, db.dialect, discard); err != nil {
			t.Error(err)
		}
	})
}

// A server that may only read starts when there is nothing to do.
func TestUpOfAReadOnlyDatabase(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) {
		if path, ok := strings.CutPrefix(url, "sqlite:"); ok {
			if err := os.Chmod(path, 0o444); err != nil {
				t.Fatal(err)
			}
			url += "?mode=ro"
		} else {
			url += "&default_transaction_read_only=on"
		}
		db := mustOpen(t, url)
		if _, err := db.Exec("CREATE TABLE written (n integer)"); err == nil {
			t.Fatal("the database can be written")
		}
		if err := migrate.Up(t.Context(), db.DB, db.dialect, discard); err != nil {
			t.Error(err)
		}
	})
}

func TestUpThatFails(t *testing.T) {
	t.Parallel()
	files := steps(
		"-- +goose Up\nCREATE TABLE first (n integer);",
		"-- +goose Up\nCREATE TABLE second (n integer);\nINSERT INTO nowhere VALUES (1);",
	)
	eachEmpty(t, func(t *testing.T, db database) {
		var log bytes.Buffer
		err := migrate.UpFiles(t.Context(), db.DB, db.dialect, files, slog.New(slog.NewTextHandler(&log, nil)))
		if err == nil {
			t.Fatal("Up succeeded")
		}
		for _, want := range []string{"20260101000002_step.sql", "INSERT INTO nowhere"} {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("the error %q does not name %q", err, want)
			}
		}
		want := []string{"first"} // PostgreSQL keeps what was complete
		if db.dialect == dialect.SQLite {
			want = []string{}
		}
		if got := db.tables(t); !slices.Equal(got, want) {
			t.Errorf("it left the tables %v, want %v", got, want)
		}
		if got := strings.Count(log.String(), "applied migration"); got != len(want) {
			t.Errorf("it says that it applied %d files, want %d:\n%s", got, len(want), &log)
		}
		mustUp(t, db, steps("-- +goose Up\nCREATE TABLE first (n integer);", "-- +goose Up\nCREATE TABLE second (n integer);"))
	})
}

func TestUpGivenUp(t *testing.T) {
	t.Parallel()
	eachEmpty(t, func(t *testing.T, db database) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := migrate.Up(ctx, db.DB, db.dialect, discard); !errors.Is(err, context.Canceled) {
			t.Errorf("Up: %v, want %v", err, context.Canceled)
		}
		if err := migrate.Up(t.Context(), db.DB, db.dialect, discard); err != nil {
			t.Errorf("the next Up: %v", err)
		}
	})
}

func TestCheck(t *testing.T) {
	t.Parallel()
	eachEmpty(t, func(t *testing.T, db database) {
		err := migrate.Check(t.Context(), db.DB, db.dialect)
		var pending *migrate.PendingError
		if !errors.As(err, &pending) || len(pending.Versions) == 0 || pending.Versions[0].Name != "init" {
			t.Errorf("Check of an empty database: %v, want a PendingError with init", err)
		} else if !strings.Contains(err.Error(), pending.Versions[0].String()) {
			t.Errorf("%q does not name %s", err, pending.Versions[0])
		}
		if n := db.count(t, map[string]string{
			dialect.Postgres: "SELECT count(*) FROM pg_class WHERE relname = 'goose_db_version'",
			dialect.SQLite:   "SELECT count(*) FROM sqlite_master",
		}[db.dialect]); n != 0 {
			t.Error("Check wrote to the database")
		}

		if err := migrate.Up(t.Context(), db.DB, db.dialect, discard); err != nil {
			t.Fatal(err)
		}
		if err := migrate.Check(t.Context(), db.DB, db.dialect); err != nil {
			t.Errorf("Check of a migrated database: %v", err)
		}

		db.mustExec(t, "INSERT INTO goose_db_version (version_id, is_applied) VALUES (29990101000000, true)")
		for what, run := range map[string]func() error{
			"Check": func() error { return migrate.Check(t.Context(), db.DB, db.dialect) },
			"Up":    func() error { return migrate.Up(t.Context(), db.DB, db.dialect, discard) },
			"Down": func() error {
				return migrate.Down(t.Context(), db.DB, db.dialect, 1, true, migrate.LockTimeout, discard)
			},
		} {
			var newer *migrate.NewerError
			if err := run(); !errors.As(err, &newer) || !strings.Contains(err.Error(), "29990101000000") {
				t.Errorf("%s of a newer database: %v, want a NewerError that names 29990101000000", what, err)
			}
		}
	})
}

func TestDownAndUpAgain(t *testing.T) {
	t.Parallel()
	eachEmpty(t, func(t *testing.T, db database) {
		for range 2 {
			if err := migrate.Up(t.Context(), db.DB, db.dialect, discard); err != nil {
				t.Fatal(err)
			}
			// More than there are, so that this test stays right as versions are added.
			if err := migrate.Down(t.Context(), db.DB, db.dialect, 1000, true, migrate.LockTimeout, discard); err != nil {
				t.Fatal(err)
			}
			if got := db.tables(t); len(got) > 0 {
				t.Errorf("the tables %v are left", got)
			}
			var pending *migrate.PendingError
			if err := migrate.Check(t.Context(), db.DB, db.dialect); !errors.As(err, &pending) {
				t.Errorf("Check after Down: %v, want a PendingError", err)
			}
		}
	})
}

func TestDownUndoesTheLast(t *testing.T) {
	t.Parallel()
	files := steps(
		"-- +goose Up\nCREATE TABLE first (n integer);\n-- +goose Down\nDROP TABLE first;",
		"-- +goose Up\nCREATE TABLE second (n integer);\n-- +goose Down\nDROP TABLE second;",
		"-- +goose Up\nCREATE TABLE third (n integer);\n-- +goose Down\nDROP TABLE third;",
	)
	eachEmpty(t, func(t *testing.T, db database) {
		mustUp(t, db, files)
		if err := migrate.DownFiles(t.Context(), db.DB, db.dialect, files, 0, discard); err == nil {
			t.Error("Down of 0 versions succeeded")
		}
		if err := migrate.DownFiles(t.Context(), db.DB, db.dialect, files, 2, discard); err != nil {
			t.Fatal(err)
		}
		if got := db.tables(t); !slices.Equal(got, []string{"first"}) {
			t.Errorf("the tables are %v, want [first]", got)
		}
	})
}

func TestUnknownDialect(t *testing.T) {
	t.Parallel()
	db := mustOpen(t, dbtest.EmptySQLite(t))
	if err := migrate.Check(t.Context(), db.DB, "oracle"); err == nil || !strings.Contains(err.Error(), `"oracle"`) {
		t.Errorf("Check: %v, want an error that names the dialect", err)
	}
}
