// Package dbtest gives a test a database of its own: fresh, migrated, empty,
// and gone afterwards. Tests share nothing, so all of them can run in parallel.
//
// PostgreSQL is the server at TEST_DATABASE_URL, in which the user named there
// must be allowed to create databases, or else a temporary one that is started
// from installed programs and lives as long as the test process. Without
// either a test fails: it is never skipped in silence.
//
// With DBTEST_PGBOUNCER=1 the way to PostgreSQL leads through a PgBouncer in
// transaction mode, for tests that open their database as Forge does.
package dbtest

import "testing"

// Each runs test on SQLite and on PostgreSQL, as two parallel subtests named
// after them. url is what DATABASE_URL would be.
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
