package database_test

import (
	"context"
	"fmt"
	"strings"
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
		const insert = `INSERT INTO users (id, created_at, updated_at, username) SELECT $1, $2, $2, $3 WHERE (SELECT count(*) FROM
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

// TestKeptStatementsAreBounded runs more statements, and longer ones, than a connection keeps, and
// asks PostgreSQL which it has.
func TestKeptStatementsAreBounded(t *testing.T) {
	t.Parallel()
	db, err := database.Open(dbtest.Postgres(t), database.Options{PoolSize: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	run := func(text string) {
		t.Helper()
		var n int
		if err := db.QueryRowContext(t.Context(), text).Scan(&n); err != nil || n != 7 {
			t.Fatalf("%.40s: %d, %v", text, n, err)
		}
	}
	kept := func() (statements, bytes, longest int) {
		t.Helper()
		err := db.QueryRowContext(t.Context(), "SELECT count(*), sum(length(statement)), max(length(statement)) FROM pg_prepared_statements").Scan(&statements, &bytes, &longest)
		if err != nil {
			t.Fatal(err)
		}
		return statements, bytes, longest
	}
	of := func(i, size int) string { return fmt.Sprintf("SELECT 7 /* %d%s */", i, strings.Repeat(" ", size)) }
	for i := range 2 * database.PreparedStatements {
		run(of(i, 0))
	}
	if statements, _, _ := kept(); statements != database.PreparedStatements {
		t.Errorf("%d short statements are kept, want %d", statements, database.PreparedStatements)
	}
	for i := range 40 {
		run(of(i, database.PreparedBytes/10))
	}
	statements, bytes, longest := kept()
	if statements < 9 || bytes > database.PreparedBytes || longest < database.PreparedBytes/10 {
		t.Errorf("%d long statements of %d bytes are kept, the longest of %d; %d bytes are allowed", statements, bytes, longest, database.PreparedBytes)
	}
	for range 2 {
		run(of(0, database.PreparedBytes/2))
	}
	if again, bytes, longest := kept(); again != statements || bytes > database.PreparedBytes || longest > database.PreparedBytes/4 {
		t.Errorf("after one that is too long, there are %d statements of %d bytes, the longest of %d", again, bytes, longest)
	}
}
