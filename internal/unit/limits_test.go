package unit_test

import (
	"context"
	"database/sql"
	"errors"
	"testing"
	"time"

	"forge/ent"
	"forge/internal/apperr"
	"forge/internal/database"
	"forge/internal/unit"
	"forge/test/dbtest"
)

// limits are options that become settings of PostgreSQL.
var limits = database.Options{
	StatementTimeout:  12345 * time.Millisecond,
	LockTimeout:       2345 * time.Millisecond,
	IdleInTransaction: 3456 * time.Millisecond,
	ApplicationName:   "forge of this test",
}

// TestLimits asks PostgreSQL for its limits in units of each mode, directly and through PgBouncer.
func TestLimits(t *testing.T) {
	for _, through := range []string{"direct", "pgbouncer"} {
		t.Run(through, func(t *testing.T) {
			url := dbtest.Postgres(t)
			if through == "pgbouncer" {
				url = dbtest.PgBouncer(t, url)
			}
			db, err := database.Open(url, limits)
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			for _, mode := range []unit.Mode{unit.Single, unit.Snapshot, unit.Write} {
				u := unit.New(db, mode)
				for name, want := range map[string]string{
					"statement_timeout": "12345ms", "lock_timeout": "2345ms", "idle_in_transaction_session_timeout": "3456ms",
					"application_name": "forge of this test", "timezone": "UTC", "join_collapse_limit": "4", "enable_memoize": "off",
				} {
					var got string
					err := u.Rows(t.Context(), func(rows *sql.Rows) error {
						rows.Next()
						return rows.Scan(&got)
					}, "SELECT current_setting($1)", name)
					if err != nil || got != want {
						t.Errorf("mode %d: %s is %q (%v), want %q", mode, name, got, err, want)
					}
				}
				u.Rollback()
			}
		})
	}
}

// TestIdleInTransaction leaves a transaction idle for too long. PostgreSQL ends the connection, the
// client gets TIMEOUT or UNAVAILABLE, and the pool stays usable.
func TestIdleInTransaction(t *testing.T) {
	db, err := database.Open(dbtest.Postgres(t), database.Options{PoolSize: 1, IdleInTransaction: 50 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	err = do(t, db, unit.Write, func(ctx context.Context, c *ent.Client) error {
		if err := add(ctx, c, "a"); err != nil {
			return err
		}
		time.Sleep(300 * time.Millisecond)
		return add(ctx, c, "b")
	})
	if f := database.ClientError(err); f == nil || f.Code != apperr.CodeTimeout && f.Code != apperr.CodeUnavailable {
		t.Errorf("%v, want TIMEOUT or UNAVAILABLE", err)
	}
	if n := teams(t, db); n != 0 {
		t.Errorf("%d teams are stored, want none", n)
	}
}

// TestFailureAfterFailure runs a statement after another one has failed. PostgreSQL says of the
// second only that the transaction is aborted, so the unit returns the first error again. That
// error decides what the client sees and whether the operation is tried again.
func TestFailureAfterFailure(t *testing.T) {
	db := open(t, dbtest.Postgres(t))
	u := unit.New(db, unit.Snapshot)
	defer u.Rollback()
	_, first := u.Exec(t.Context(), `DO $$ BEGIN RAISE EXCEPTION 'in the way' USING ERRCODE = 'serialization_failure'; END $$`)
	_, second := u.Exec(t.Context(), "SELECT 1")
	if first == nil || !errors.Is(second, first) {
		t.Errorf("the failures are %v and %v, want the same", first, second)
	}
	if !u.Transient() {
		t.Error("the failure is not transient")
	}
}
