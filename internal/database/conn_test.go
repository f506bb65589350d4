package database_test

import (
	"context"
	"testing"
	"time"

	"forge/internal/database"
	"forge/test/dbtest"
)

// TestStatementAfterCancel cancels statements while they run, and then runs them again.
func TestStatementAfterCancel(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, url string) {
		db, err := database.Open(url, database.Options{PoolSize: 1})
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		const count = `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < CAST($1 AS integer)) SELECT count(*) FROM n`
		const insert = `INSERT INTO teams (id, created_at, updated_at, name) SELECT $1, $2, $2, $3 WHERE (SELECT count(*) FROM
			(WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < CAST($4 AS integer)) SELECT i FROM n) AS n) < 0`
		for i := range 40 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i)*200*time.Microsecond)
			var n int
			_ = db.QueryRowContext(ctx, count, 200_000).Scan(&n)
			_, _ = db.ExecContext(ctx, insert, "01890a5d-ac96-774b-bcce-b302099a8057", time.Now(), "x", 200_000)
			cancel()
			if err := db.QueryRowContext(t.Context(), count, 3).Scan(&n); err != nil || n != 3 {
				t.Fatalf("the query after a cancelled one: %d, %v; want 3", n, err)
			}
			if _, err := db.ExecContext(t.Context(), insert, "01890a5d-ac96-774b-bcce-b302099a8057", time.Now(), "x", 3); err != nil {
				t.Fatalf("the statement after a cancelled one: %v", err)
			}
		}
	})
}
