package dbtest

import (
	"context"
	"errors"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"

	"forge/internal/pgtemp"
)

// throughPgBouncer is the environment variable that puts PgBouncer between tests and PostgreSQL.
const throughPgBouncer = "DBTEST_PGBOUNCER"

// PgBouncer returns a URL that leads through a real PgBouncer in transaction mode to the database
// at address, which Postgres has returned. If PgBouncer is not installed, it skips the test, but
// fails it in CI.
func PgBouncer(t testing.TB, address string) string {
	t.Helper()
	b, err := theBouncer()
	if errors.Is(err, pgtemp.ErrNoBouncer) && os.Getenv("CI") == "" && os.Getenv(throughPgBouncer) == "" {
		t.Skip(err)
	}
	if err != nil {
		t.Fatalf("this test needs a PgBouncer: %v", err)
	}
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return b.URL(strings.TrimPrefix(u.Path, "/"))
}

// testURL returns the URL of a database for a test: through PgBouncer if throughPgBouncer is set.
func (s *server) testURL(t testing.TB, name string) string {
	if os.Getenv(throughPgBouncer) == "" {
		return s.databaseURL(name)
	}
	return PgBouncer(t, s.databaseURL(name))
}

// theBouncer returns the PgBouncer that all tests of the process share.
var theBouncer = sync.OnceValues(func() (*pgtemp.Bouncer, error) {
	s, err := theServer()
	if err != nil {
		return nil, err
	}
	return pgtemp.StartBouncer(context.Background(), s.url.String())
})
