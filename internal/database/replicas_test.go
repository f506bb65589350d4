package database_test

import (
	"testing"

	"forge/internal/database"
	"forge/test/dbtest"
)

// TestCommitAt commits transactions whose commit succeeds, fails, and succeeds without a position.
func TestCommitAt(t *testing.T) {
	t.Parallel()
	db, err := database.Open(dbtest.EmptyPostgres(t), database.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	exec := func(statement string) {
		t.Helper()
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	exec("CREATE TABLE kept (n integer UNIQUE DEFERRABLE INITIALLY DEFERRED)")
	commit := func(n int) (at database.LogPosition, err error) {
		t.Helper()
		conn, err := db.Acquire(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		for _, statement := range []string{"BEGIN", "INSERT INTO kept VALUES ($1)"} {
			var args []any
			if statement != "BEGIN" {
				args = append(args, n)
			}
			if _, err := conn.ExecContext(t.Context(), statement, args...); err != nil {
				t.Fatal(err)
			}
		}
		return conn.CommitAt(t.Context())
	}
	first, err := commit(1)
	if err != nil || first.Timeline != 1 || first.LSN == 0 {
		t.Errorf("%+v, %v", first, err)
	}
	if second, err := commit(2); err != nil || second.LSN <= first.LSN {
		t.Errorf("%+v after %+v, %v", second, first, err)
	}
	if _, err := commit(1); err == nil || database.OutcomeUnknown(err) {
		t.Errorf("a commit that PostgreSQL refuses: %v", err)
	}
	exec("REVOKE EXECUTE ON FUNCTION pg_walfile_name(pg_lsn) FROM PUBLIC")
	exec("DO $$BEGIN EXECUTE format('CREATE ROLE %I', 'reader_' || current_database()); " +
		"EXECUTE format('GRANT INSERT, SELECT ON kept TO %I', 'reader_' || current_database()); " +
		"EXECUTE format('ALTER DATABASE %I SET role = %L', current_database(), 'reader_' || current_database()); END$$")
	defer func() {
		exec("SET ROLE NONE; DO $$BEGIN EXECUTE format('DROP OWNED BY %1$I; DROP ROLE %1$I', 'reader_' || current_database()); END$$")
	}()
	db.SetMaxIdleConns(0)
	if _, err := commit(3); !database.OutcomeUnknown(err) {
		t.Errorf("a commit after which no position could be read: %v", err)
	}
	var n int
	if err := db.QueryRowContext(t.Context(), "SELECT count(*) FROM kept").Scan(&n); err != nil || n != 3 {
		t.Errorf("%d rows, %v, want those of all commits but the refused one", n, err)
	}
}

func TestHostOf(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"postgres://u:p@db/forge":                  "db:5432",
		"postgres://[::1]:6000/forge":              "[::1]:6000",
		"postgres:///forge?host=/run/pg&port=6001": "/run/pg:6001",
		"postgres:///forge":                        "",
		"postgres://bad host/forge":                "",
	} {
		if got := database.HostOf(address); got != want {
			t.Errorf("HostOf(%q) = %q, want %q", address, got, want)
		}
	}
}
