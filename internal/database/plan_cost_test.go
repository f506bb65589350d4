package database_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"forge/internal/apperr"
	"forge/internal/database"
	"forge/test/dbtest"
)

// TestCheckPlan has PostgreSQL estimate statements whose values decide how much they read.
func TestCheckPlan(t *testing.T) {
	db, err := database.Open(dbtest.Postgres(t), database.Options{PoolSize: 1, MaxPlanCost: 500})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	ctx := t.Context()
	for _, statement := range []string{
		"CREATE TABLE numbers (n bigint PRIMARY KEY, text text NOT NULL)",
		"INSERT INTO numbers SELECT n, repeat('x', 100) FROM generate_series(1, 50000) n",
		"ANALYZE numbers",
	} {
		if _, err := db.ExecContext(ctx, statement); err != nil {
			t.Fatal(err)
		}
	}
	c, err := db.Acquire(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	const ordered = "SELECT n FROM numbers WHERE n <= $1 ORDER BY text"
	err = db.CheckPlan(ctx, c, ordered, []any{50_000})
	refused, ok := errors.AsType[*apperr.Error](err)
	if !ok || refused.Code != apperr.CodeTooComplex || refused.More["limit"] != 500 || len(refused.More) != 1 || strings.ContainsAny(refused.Message, "0123456789") {
		t.Fatalf("a sort of 50,000 rows: %v", err)
	}
	if err := db.CheckPlan(ctx, c, ordered, []any{10}); err != nil {
		t.Errorf("a sort of 10 rows: %v", err)
	}
	if err := db.CheckPlan(ctx, c, ordered, []any{50_000}); err == nil {
		t.Error("a statement was let through because it had been cheap with another value")
	}
	if err := db.CheckPlan(ctx, database.Conn{}, ordered, []any{10}); err != nil {
		t.Errorf("a statement that was cheap a moment ago: %v", err)
	}
	const listed = "SELECT n FROM numbers WHERE text = ANY($1) ORDER BY text"
	if err := db.CheckPlan(ctx, c, listed, []any{pq.Array([]string{"a", "b"})}); err == nil {
		t.Error("a scan is let through")
	}
	const byKeys = "SELECT n FROM numbers WHERE n <= cardinality($1::uuid[]) ORDER BY text"
	if err := db.CheckPlan(ctx, c, byKeys, []any{[]uuid.UUID{uuid.New(), uuid.New()}}); err != nil {
		t.Errorf("a statement with a list of keys: %v", err)
	}
	const unordered = "SELECT n FROM numbers WHERE n <= $1 ORDER BY text DESC"
	if err := db.CheckPlan(ctx, c, unordered, []any{2000}); err != nil {
		t.Errorf("a sort of 2,000 rows: %v", err)
	}
	if err := db.CheckPlan(ctx, c, unordered, []any{50_000}); err == nil {
		t.Error("a statement that was not cheap was not estimated again")
	}
	if err := db.CheckPlan(ctx, c, "SELECT 1 FROM nothing", nil); err == nil || errors.As(err, &refused) {
		t.Errorf("a statement that cannot be planned: %v", err)
	}
}
