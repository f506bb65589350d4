package doctor

import (
	"testing"

	"forge/test/dbtest"
)

// TestOldestTransaction has a transaction open. Its age is found.
func TestOldestTransaction(t *testing.T) {
	t.Parallel()
	db := mustOpen(t, dbtest.Postgres(t))
	tx, err := db.DB.Begin()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback() }()
	if _, err := tx.Exec("SELECT pg_sleep(0.01)"); err != nil {
		t.Fatal(err)
	}
	if age := oldestTransaction(t.Context(), db); age <= 0 {
		t.Errorf("a transaction is open, and its age is %s", age)
	}
}
