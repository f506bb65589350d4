package program

import (
	"context"
	"database/sql"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"forge/test/dbtest"
)

// TestBadDatabase starts forge on databases that it cannot serve.
func TestBadDatabase(t *testing.T) {
	t.Parallel()
	noDatabase := filepath.Join(t.TempDir(), "text.db")
	if err := os.WriteFile(noDatabase, []byte(strings.Repeat("this is a letter, not a database. ", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	locked := dbtest.SQLite(t)
	mustExec(t, locked, "BEGIN EXCLUSIVE")
	newer := []string{dbtest.SQLite(t), dbtest.Postgres(t)}
	for _, address := range newer {
		mustExec(t, address, "INSERT INTO goose_db_version (version_id, is_applied) VALUES (29990101000000, true)")
	}
	nobody := fmt.Sprintf("postgres://u:s3cret@%s/x?sslmode=disable", freePort(t))
	tests := []struct {
		name    string
		address string
		has     string
	}{
		{"not a database", "sqlite:" + noDatabase, "not a database"},
		{"no such directory", "sqlite:" + filepath.Join(t.TempDir(), "no", "forge.db"), "there is no directory"},
		{"read-only, and to be made", dbtest.EmptySQLite(t) + "?mode=ro", "there is no database at"},
		{"locked", locked, "locked by another process"},
		{"newer, SQLite", newer[0], "29990101000000"},
		{"newer, PostgreSQL", newer[1], "29990101000000"},
		{"no server", nobody, "refused"},
		{"no such database", withName(t, dbtest.EmptyPostgres(t), "forge_no_such"), `database "forge_no_such" does not exist; make it first`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for _, command := range []string{"serve", "seed"} {
				code, stdout, stderr := do(t, "ADDR=127.0.0.1:0", "DATABASE_URL="+tt.address, command)
				if code != 1 || stdout != "" || !isOneLine(stderr) {
					t.Errorf("%s: status %d, stdout %q, stderr %q, want 1 and one line", command, code, stdout, stderr)
				}
				if !strings.HasPrefix(stderr, `forge: DATABASE_URL="`) || !strings.Contains(stderr, tt.has) ||
					strings.Contains(stderr, "s3cret") {
					t.Errorf("%s: %q, want it to say %q", command, stderr, tt.has)
				}
			}
		})
	}
}

// mustExec runs a statement on a connection that stays open until the test ends.
func mustExec(t *testing.T, address, query string) {
	t.Helper()
	driver, source := "postgres", address
	if path, ok := strings.CutPrefix(address, "sqlite:"); ok {
		driver, source = "sqlite", "file:"+path
	}
	db, err := sql.Open(driver, source)
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	t.Cleanup(func() { db.Close() })
	if _, err := db.ExecContext(context.Background(), query); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}

// freePort returns an address that nothing listens on.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// withName returns the address of another database of the same server.
func withName(t *testing.T, address, name string) string {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	u.Path = "/" + name
	return u.String()
}

// TestReadOnly serves a file whose address asks for reading only.
func TestReadOnly(t *testing.T) {
	t.Parallel()
	address := dbtest.EmptySQLite(t)
	if code, _, stderr := do(t, "DATABASE_URL="+address, "seed", "--scale=1"); code != 0 {
		t.Fatal(stderr)
	}
	s := start(t, "DATABASE_URL="+address+"?mode=ro")
	if body := s.Do(countUsers, nil).Body; !strings.Contains(body, `"totalCount":20`) {
		t.Errorf("reading: %s", body)
	}
	got := s.Do(`mutation { createTeam(input: { name: "Late" }) { team { id } } }`, nil)
	if !strings.Contains(got.Body, `"UNAVAILABLE"`) {
		t.Errorf("writing: %s", got)
	}
}

// TestNotMigrated starts a server before the migrations, as a deployment may.
func TestNotMigrated(t *testing.T) {
	t.Parallel()
	emptyDatabases(t, func(t *testing.T, address string) {
		s := start(t, "DATABASE_URL="+address, "MIGRATE=off")
		pending := regexp.MustCompile(`^\{"status":"unavailable","reason":"[^"]*lacks \d{14}_init[^"]*"\}\n$`)
		if got := s.ready(); got.Status != 503 || !pending.MatchString(got.Body) {
			t.Errorf("/readyz: %s", got)
		}
		if body := s.Do(countUsers, nil).Body; !strings.Contains(body, `"errors"`) || strings.Contains(body, "goose") {
			t.Errorf("a query: %s", body)
		}
		if got := s.Get("/healthz"); got.Status != 200 {
			t.Errorf("/healthz: %d", got.Status)
		}
		if code, _, stderr := do(t, "DATABASE_URL="+address, "migrate", "up"); code != 0 {
			t.Fatal(stderr)
		}
		if got := s.ready(); got.Status != 200 {
			t.Errorf("/readyz after the migration: %s", got)
		}
		if body := s.Do(countUsers, nil).Body; !strings.Contains(body, `"totalCount":0`) {
			t.Errorf("a query after the migration: %s", body)
		}
		mustExec(t, address, "INSERT INTO goose_db_version (version_id, is_applied) VALUES (29990101000000, true)")
		if got := s.ready(); got.Status != 503 || !strings.Contains(got.Body, "29990101000000") {
			t.Errorf("/readyz beside a newer build: %s", got)
		}
	})
}

// TestDatabaseGone cuts a running server off from its database.
func TestDatabaseGone(t *testing.T) {
	t.Parallel()
	address := dbtest.Postgres(t)
	s := start(t, "DATABASE_URL="+address)
	if got := s.ready(); got.Status != 200 {
		t.Fatalf("/readyz: %s", got)
	}
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	name := strings.TrimPrefix(u.Path, "/")
	other := withName(t, address, "postgres")
	mustExec(t, other, "ALTER DATABASE "+name+" ALLOW_CONNECTIONS false")
	mustExec(t, other, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '"+name+"'")
	const gone = `{"status":"unavailable","reason":"the database does not answer"}` + "\n"
	if got := s.ready(); got.Status != 503 || got.Body != gone {
		t.Errorf("/readyz: %s", got)
	}
	if got := s.Get("/healthz"); got.Status != 200 {
		t.Errorf("/healthz: %d", got.Status)
	}
	mustExec(t, other, "ALTER DATABASE "+name+" ALLOW_CONNECTIONS true")
	if got := s.ready(); got.Status != 200 {
		t.Errorf("/readyz once the database is back: %s", got)
	}
}
