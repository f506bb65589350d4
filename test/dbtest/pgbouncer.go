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

// throughPgBouncer is the variable that puts PgBouncer between every test and PostgreSQL: DBTEST_PGBOUNCER=1.
const throughPgBouncer = "DBTEST_PGBOUNCER"

// PgBouncer returns the URL that leads to the database at url, which Postgres made, through a real PgBouncer in transaction mode.
// Where none is installed the test is skipped, unless it runs in CI.
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

// testURL returns the address of a database as a test is to see it.
func (s *server) testURL(t testing.TB, name string) string {
	if os.Getenv(throughPgBouncer) == "" {
		return s.databaseURL(name)
	}
	return PgBouncer(t, s.databaseURL(name))
}

// theBouncer is one for all tests of the process, as theServer is.
var theBouncer = sync.OnceValues(func() (*pgtemp.Bouncer, error) {
	s, err := theServer()
	if err != nil {
		return nil, err
	}
	return pgtemp.StartBouncer(context.Background(), s.url.String())
})
