// Package dbtest gives each test its own database: migrated, empty, and dropped after the test.
// Tests share nothing, so all of them can run in parallel.
//
// PostgreSQL is the server at TEST_DATABASE_URL. Its user must be allowed to create databases.
// Without the variable, a temporary server is started from installed programs, and ends with the
// test process. If there is neither, tests fail. They are not skipped without notice.
//
// With go test -short, there is only SQLite. Tests, or parts of tests, that ask for PostgreSQL are
// skipped.
//
// With DBTEST_PGBOUNCER=1, tests reach PostgreSQL through a PgBouncer in transaction mode, if they
// open their database as Forge does.
package dbtest

import "testing"

// Each runs test on SQLite and on PostgreSQL, in two parallel subtests with the names sqlite and
// postgres. url is a value for DATABASE_URL.
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
