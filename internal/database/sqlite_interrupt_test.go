package database_test

import (
	"context"
	"testing"
	"time"

	"forge/internal/apperr"
	"forge/internal/database"
	"forge/test/dbtest"
)

// endless returns its first row at once, and its second one after counting for minutes.
const endless = `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000000000)
	SELECT i FROM n WHERE i = CAST($1 AS integer) OR i = 2000000000`

// readAll reads the rows of a query, and returns their number.
func readAll(ctx context.Context, db *database.DB, query string, args ...any) (n int, err error) {
	rows, err := db.QueryContext(ctx, query, args...)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	for rows.Next() {
		n++
	}
	return n, rows.Err()
}

// TestStatementTimeout runs statements past their limit on both databases. The error is the same,
// and the next statement of the pool succeeds.
func TestStatementTimeout(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, url string) {
		db, err := database.Open(url, database.Options{PoolSize: 1, StatementTimeout: 200 * time.Millisecond})
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		for _, first := range []int{1, -1} { // a first row that comes at once, and one that never comes
			start := time.Now()
			_, err := readAll(t.Context(), db, endless, first)
			if f := database.ClientError(err); f == nil || f.Code != apperr.CodeTimeout {
				t.Fatalf("a statement that takes too long: %v; want a timeout", err)
			}
			if database.Transient(err) || database.ConnectionLost(err) {
				t.Errorf("%v would be tried again", err)
			}
			if took := time.Since(start); took > 20*time.Second {
				t.Errorf("it was stopped after %v", took)
			}
			if n, err := readAll(t.Context(), db, `SELECT CAST($1 AS integer)`, 1); n != 1 || err != nil {
				t.Fatalf("the next statement: %d rows, %v", n, err)
			}
		}
		const insert = `INSERT INTO users (id, created_at, updated_at, username) SELECT $1, $2, $2, $3 WHERE (SELECT count(*) FROM
			(WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000000000) SELECT i FROM n) AS n) < 0`
		_, err = db.ExecContext(t.Context(), insert, "01890a5d-ac96-774b-bcce-b302099a8057", time.Now(), "x")
		if f := database.ClientError(err); f == nil || f.Code != apperr.CodeTimeout {
			t.Fatalf("a change that takes too long: %v; want a timeout", err)
		}
	})
}

// TestRowsEndWithTheirContext ends the context of a query that is looking for its second row.
func TestRowsEndWithTheirContext(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, url string) {
		db, err := database.Open(url, database.Options{PoolSize: 1})
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		defer cancel()
		_, err = readAll(ctx, db, endless, 1)
		if f := database.ClientError(err); f == nil || f.Code != apperr.CodeTimeout {
			t.Errorf("rows whose context has ended: %v; want a timeout", err)
		}
	})
}
