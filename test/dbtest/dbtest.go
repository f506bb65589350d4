// Package dbtest gives a test a database of its own: migrated, empty, and dropped after the test.
// Tests share nothing, so they can all run in parallel.
//
// PostgreSQL is the server at TEST_DATABASE_URL, whose user must be allowed to create databases.
// Without that variable it is a temporary server that is started from installed programs and ends
// with the test process. If there is neither, a test fails: none is skipped silently.
//
// With go test -short there is SQLite only: a test, or a part of one, that asks for PostgreSQL is
// skipped.
//
// With DBTEST_PGBOUNCER=1, tests reach PostgreSQL through a PgBouncer in transaction mode, if they
// open their database as Forge does.
package dbtest

import "testing"

// Each runs test on SQLite and on PostgreSQL, as two parallel subtests of those names. url is the
// value for DATABASE_URL.
func Each(t *testing.T, test func(t *testing.T, url string)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		test(t, SQLite(t))
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		test(t, Postgres(t))
	})
}
