package seed

import (
	"testing"

	"forge/internal/database"
)

func mustOpen(t *testing.T, url string) *database.DB {
	t.Helper()
	db, err := database.Open(url, database.Options{PoolSize: 4})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func mustFill(t *testing.T, url string, scale int) *database.DB {
	t.Helper()
	db := mustOpen(t, url)
	if err := Run(t.Context(), db, scale); err != nil {
		t.Fatalf("Run(%d): %v", scale, err)
	}
	return db
}

func mustCount(t *testing.T, db *database.DB, query string) (n int) {
	t.Helper()
	if err := db.QueryRowContext(t.Context(), query).Scan(&n); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return n
}
