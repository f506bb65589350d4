package migrator_test

import (
	"bytes"
	"context"
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
	"time"

	"entgo.io/ent/dialect"
	"github.com/pressly/goose/v3/lock"

	"forge/internal/migrator"
	"forge/internal/migrator/migratortest"
	"forge/migrate"
	"forge/test/dbtest"
)

// A database is one that a test migrates.
type database struct{ migratortest.Database }

// eachEmpty runs test on databases of both kinds that were never migrated.
func eachEmpty(t *testing.T, test func(t *testing.T, db database)) {
	migratortest.EachEmpty(t, func(t *testing.T, db migratortest.Database) { test(t, database{db}) })
}

func mustOpen(t *testing.T, url string) database { return database{migratortest.MustOpen(t, url)} }

var (
	steps   = migratortest.Steps
	discard = slog.New(slog.DiscardHandler)
)

func mustUp(t *testing.T, db database, files fs.FS) {
	t.Helper()
	if err := db.Source(files).Up(t.Context(), db.DB, discard); err != nil {
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
			if err := migrator.New(migrate.Files, db.Dialect).Up(t.Context(), db.DB, slog.New(slog.NewTextHandler(&log, nil))); err != nil {
				t.Fatalf("%s Up: %v", tt.run, err)
			}
			if got := strings.Contains(log.String(), "_init.sql"); got != tt.applies {
				t.Errorf("%s Up: applied the first version: %t, want %t; it logged\n%s", tt.run, got, tt.applies, &log)
			}
			if err := migrator.New(migrate.Files, db.Dialect).Check(t.Context(), db.DB); err != nil {
				t.Errorf("Check after the %s Up: %v", tt.run, err)
			}
		}
		want := []string{"heroes", "inventories", "order_items", "orders", "products", "teams", "users"}
		got := db.Tables(t)
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
			other := mustOpen(t, db.URL)
			wg.Go(func() {
				errs[i] = other.Source(files).Up(t.Context(), other.DB, discard)
			})
		}
		wg.Wait()
		if err := errors.Join(errs...); err != nil {
			t.Fatal(err)
		}
		if rows, sum := db.Count(t, "SELECT count(*) FROM counts"), db.Count(t, "SELECT sum(n) FROM counts"); rows != 2 || sum != 23 {
			t.Errorf("%d rows with the sum %d, want 2 with 23: a file was not applied exactly once", rows, sum)
		}
		if n := db.Count(t, "SELECT count(*) FROM goose_db_version WHERE version_id > 0"); n != 3 {
			t.Errorf("%d versions are recorded, want 3", n)
		}
	})
}

// asChild is the environment variable with which this test binary migrates the database at a URL
// and exits.
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
	db, err := migratortest.Open(url)
	if err != nil {
		return err
	}
	defer db.Close()
	return migrator.New(migrate.Files, db.Dialect).Up(context.Background(), db.DB, discard)
}

func TestUpFromManyProcesses(t *testing.T) {
	t.Parallel()
	eachEmpty(t, func(t *testing.T, db database) {
		var wg sync.WaitGroup
		for range 10 {
			wg.Go(func() {
				cmd := exec.Command(os.Args[0])
				cmd.Env = append(os.Environ(), asChild+"="+db.URL)
				if output, err := cmd.CombinedOutput(); err != nil {
					t.Errorf("%v: %s", err, output)
				}
			})
		}
		wg.Wait()
		if err := migrator.New(migrate.Files, db.Dialect).Check(t.Context(), db.DB); err != nil {
			t.Error(err)
		}
		if n := db.Count(t, "SELECT count(*) - count(DISTINCT version_id) FROM goose_db_version"); n != 0 {
			t.Errorf("%d versions were applied twice", n)
		}
	})
}

// Up returns at once if there is nothing to do, even while somebody else writes.
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
		if db.Dialect == dialect.Postgres {
			hold = fmt.Sprintf("SELECT pg_advisory_lock(%d)", lock.DefaultLockID)
		}
		if _, err := writer.ExecContext(t.Context(), hold); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := migrator.New(migrate.Files, db.Dialect).Up(ctx, db.DB, discard); err != nil {
			t.Error(err)
		}
	})
}

// Up succeeds on a read-only database if there is nothing to do.
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
		if err := migrator.New(migrate.Files, db.Dialect).Up(t.Context(), db.DB, discard); err != nil {
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
		err := db.Source(files).Up(t.Context(), db.DB, slog.New(slog.NewTextHandler(&log, nil)))
		if err == nil {
			t.Fatal("Up succeeded")
		}
		for _, want := range []string{"20260101000002_step.sql", "INSERT INTO nowhere"} {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("the error %q does not name %q", err, want)
			}
		}
		want := []string{"first"} // PostgreSQL keeps what was complete
		if db.Dialect == dialect.SQLite {
			want = []string{}
		}
		if got := db.Tables(t); !slices.Equal(got, want) {
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
		if err := migrator.New(migrate.Files, db.Dialect).Up(ctx, db.DB, discard); !errors.Is(err, context.Canceled) {
			t.Errorf("Up: %v, want %v", err, context.Canceled)
		}
		if err := migrator.New(migrate.Files, db.Dialect).Up(t.Context(), db.DB, discard); err != nil {
			t.Errorf("the next Up: %v", err)
		}
	})
}

func TestCheck(t *testing.T) {
	t.Parallel()
	eachEmpty(t, func(t *testing.T, db database) {
		err := migrator.New(migrate.Files, db.Dialect).Check(t.Context(), db.DB)
		var pending *migrator.PendingError
		if !errors.As(err, &pending) || len(pending.Versions) == 0 || pending.Versions[0].Name != "init" {
			t.Errorf("Check of an empty database: %v, want a PendingError with init", err)
		} else if !strings.Contains(err.Error(), pending.Versions[0].String()) {
			t.Errorf("%q does not name %s", err, pending.Versions[0])
		}
		if n := db.Count(t, map[string]string{
			dialect.Postgres: "SELECT count(*) FROM pg_class WHERE relname = 'goose_db_version'",
			dialect.SQLite:   "SELECT count(*) FROM sqlite_master",
		}[db.Dialect]); n != 0 {
			t.Error("Check wrote to the database")
		}

		if err := migrator.New(migrate.Files, db.Dialect).Up(t.Context(), db.DB, discard); err != nil {
			t.Fatal(err)
		}
		if err := migrator.New(migrate.Files, db.Dialect).Check(t.Context(), db.DB); err != nil {
			t.Errorf("Check of a migrated database: %v", err)
		}

		db.MustExec(t, "INSERT INTO goose_db_version (version_id, is_applied) VALUES (29990101000000, true)")
		for what, run := range map[string]func() error{
			"Check": func() error { return migrator.New(migrate.Files, db.Dialect).Check(t.Context(), db.DB) },
			"Up":    func() error { return migrator.New(migrate.Files, db.Dialect).Up(t.Context(), db.DB, discard) },
			"Down": func() error {
				return migrator.New(migrate.Files, db.Dialect).Down(t.Context(), db.DB, 1, true, migrator.LockTimeout, discard)
			},
		} {
			var newer *migrator.NewerError
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
			if err := migrator.New(migrate.Files, db.Dialect).Up(t.Context(), db.DB, discard); err != nil {
				t.Fatal(err)
			}
			// More than there are, so that this test stays right as versions are added.
			if err := migrator.New(migrate.Files, db.Dialect).Down(t.Context(), db.DB, 1000, true, migrator.LockTimeout, discard); err != nil {
				t.Fatal(err)
			}
			if got := db.Tables(t); len(got) > 0 {
				t.Errorf("the tables %v are left", got)
			}
			var pending *migrator.PendingError
			if err := migrator.New(migrate.Files, db.Dialect).Check(t.Context(), db.DB); !errors.As(err, &pending) {
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
		if err := db.Source(files).Down(t.Context(), db.DB, 0, true, migrator.LockTimeout, discard); err == nil {
			t.Error("Down of 0 versions succeeded")
		}
		if err := db.Source(files).Down(t.Context(), db.DB, 2, true, migrator.LockTimeout, discard); err != nil {
			t.Fatal(err)
		}
		if got := db.Tables(t); !slices.Equal(got, []string{"first"}) {
			t.Errorf("the tables are %v, want [first]", got)
		}
	})
}

func TestUnknownDialect(t *testing.T) {
	t.Parallel()
	db := mustOpen(t, dbtest.EmptySQLite(t))
	if err := migrator.New(migrate.Files, "oracle").Check(t.Context(), db.DB); err == nil || !strings.Contains(err.Error(), `"oracle"`) {
		t.Errorf("Check: %v, want an error that names the dialect", err)
	}
}
