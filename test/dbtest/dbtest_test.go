package dbtest

import (
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"entgo.io/ent/dialect"

	"forge/internal/migrator"
	"forge/internal/pgtemp"
	"forge/migrate"
)

func TestEachIsMigratedAndEmpty(t *testing.T) {
	t.Parallel()
	Each(t, func(t *testing.T, url string) {
		db, name := mustOpen(t, url)
		if err := migrator.New(migrate.Files, name).Check(t.Context(), db); err != nil {
			t.Error(err)
		}
		for _, table := range []string{"users", "teams", "heroes", "products", "inventories", "orders", "order_items"} {
			var rows int
			if err := db.QueryRow("SELECT count(*) FROM " + table).Scan(&rows); err != nil {
				t.Error(err)
			}
			if rows != 0 {
				t.Errorf("%s has %d rows, want none", table, rows)
			}
		}
	})
}

func TestEachRunsBoth(t *testing.T) {
	t.Parallel()
	ran := make(chan string, 2)
	t.Run("both", func(t *testing.T) {
		Each(t, func(t *testing.T, url string) {
			scheme, _, _ := strings.Cut(url, ":")
			ran <- scheme + " in " + t.Name()
		})
	})
	close(ran)
	got := map[string]bool{}
	for r := range ran {
		got[r] = true
	}
	for _, want := range []string{"sqlite in " + t.Name() + "/both/sqlite", "postgres in " + t.Name() + "/both/postgres"} {
		if !got[want] {
			t.Errorf("%q is missing from %v", want, got)
		}
	}
}

func TestDatabasesAreSeparate(t *testing.T) {
	t.Parallel()
	for i := range 8 {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			Each(t, func(t *testing.T, url string) {
				db, _ := mustOpen(t, url)
				if _, err := db.Exec("CREATE TABLE mine (id integer)"); err != nil {
					t.Errorf("a table of another test is in the way: %v", err)
				}
			})
		})
	}
}

func TestEmptyIsNotMigrated(t *testing.T) {
	t.Parallel()
	for _, url := range []string{EmptySQLite(t), EmptyPostgres(t)} {
		db, name := mustOpen(t, url)
		var pending *migrator.PendingError
		if err := migrator.New(migrate.Files, name).Check(t.Context(), db); !errors.As(err, &pending) {
			t.Errorf("%s: Check: %v, want a PendingError", name, err)
		}
	}
}

func TestPostgresIsDroppedInUse(t *testing.T) {
	t.Parallel()
	var db *sql.DB
	t.Run("test", func(t *testing.T) {
		var err error
		if db, err = sql.Open("postgres", Postgres(t)); err != nil {
			t.Fatal(err)
		}
		if err := db.Ping(); err != nil {
			t.Fatal(err)
		}
	})
	defer db.Close()
	if err := db.Ping(); err == nil {
		t.Error("the database is still there after its test")
	}
}

// The following tests run this test binary again, with another environment.

func TestWithoutPostgresTestsFail(t *testing.T) {
	t.Parallel()
	output, err := rerun("TestEachIsMigratedAndEmpty", "mysql://localhost/test")
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		t.Fatalf("the tests ended with %v, want a failure:\n%s", err, output)
	}
	for _, want := range []string{
		"these tests need a PostgreSQL: set TEST_DATABASE_URL",
		"TEST_DATABASE_URL is not of the form postgres://",
		"--- PASS: TestEachIsMigratedAndEmpty/sqlite",
	} {
		if !strings.Contains(output, want) {
			t.Errorf("%q is missing from\n%s", want, output)
		}
	}
}

func TestOnAServerThatIsKept(t *testing.T) {
	t.Parallel()
	cluster, err := pgtemp.Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cluster.Stop() })
	db, err := sql.Open("postgres", cluster.URL("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	template, err := templateName()
	if err != nil {
		t.Fatal(err)
	}
	// There is a template of an older schema, and one that a killed process had not completed.
	for _, name := range []string{templatePrefix + "old", templatePrefix + "building"} {
		if _, err := db.Exec("CREATE DATABASE " + name); err != nil {
			t.Fatal(err)
		}
	}

	var made uint32
	for range 2 {
		if output, err := rerun("TestEachIsMigratedAndEmpty|TestDatabasesAreSeparate", cluster.URL("postgres")); err != nil {
			t.Fatalf("%v\n%s", err, output)
		}
		conn, err := db.Conn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		left, err := databases(t.Context(), conn, "forge_")
		conn.Close()
		if err != nil {
			t.Fatal(err)
		}
		if len(left) != 1 || left[0] != template {
			t.Errorf("the run left %v, want %s alone", left, template)
		}
		var oid uint32
		if err := db.QueryRow("SELECT oid FROM pg_database WHERE datname = $1", template).Scan(&oid); err != nil {
			t.Fatal(err)
		}
		if made != 0 && oid != made {
			t.Error("the second run made the template anew")
		}
		made = oid
	}
}

func rerun(tests, databaseURL string) (output string, err error) {
	cmd := exec.Command(os.Args[0], "-test.v", "-test.run=^("+tests+")$")
	cmd.Env = append(os.Environ(), "TEST_DATABASE_URL="+databaseURL)
	combined, err := cmd.CombinedOutput()
	return string(combined), err
}

func mustOpen(t *testing.T, url string) (db *sql.DB, name string) {
	t.Helper()
	driver, source, name := "postgres", url, dialect.Postgres
	if path, ok := strings.CutPrefix(url, "sqlite:"); ok {
		driver, source, name = "sqlite", "file:"+path, dialect.SQLite
	}
	db, err := sql.Open(driver, source)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db, name
}
