package pgwire_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/lib/pq"
	"github.com/lib/pq/pqerror"

	"forge/test/dbtest"
	"forge/test/gqltest"
)

// TestTLSCancelsStatements runs a long statement with a deadline under TLS, where Cancel is off.
// lib/pq has the server end it.
func TestTLSCancelsStatements(t *testing.T) {
	address := dbtest.Postgres(t)
	encrypted, watching := openSession(t, behindTLS(t, address)), openSession(t, address)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	begin := time.Now()
	_, err := encrypted.conn.ExecContext(ctx, `SELECT pg_sleep($1)`, 60.0)
	if pq.As(err, pqerror.QueryCanceled) == nil {
		t.Errorf("the statement: %v, want the server to say that it was cancelled", err)
	}
	if took := time.Since(begin); took > 30*time.Second {
		t.Errorf("the statement took %s, with 2 s to its deadline", took)
	}
	gqltest.Eventually(t, "the server ends the statement", func() error {
		var running int
		const query = `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'SELECT pg_sleep%' AND state = 'active'`
		if err := watching.conn.QueryRowContext(t.Context(), query).Scan(&running); err != nil || running == 0 {
			return err
		}
		return fmt.Errorf("%d statements run", running)
	})
}
