package api_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"forge/ent"
	"forge/internal/idempotency"
	"forge/test/dbtest"
)

// expireKeys makes all idempotency keys expire.
func (a *api) expireKeys() {
	a.t.Helper()
	a.stored(func(ctx context.Context, c *ent.Client) {
		if err := c.IdempotencyKey.Update().SetExpiresAt(time.Now().Add(-time.Second)).Exec(ctx); err != nil {
			a.t.Fatal(err)
		}
	})
}

// TestIdempotencyExpiredKeyAtOnce sends a request many times at once under a key that has expired,
// while expired keys are being removed. The request is carried out once.
func TestIdempotencyExpiredKeyAtOnce(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) {
		a := newAPI(t, url)
		for round := range 10 {
			a.under("k", keyedMutation, vars{"name": fmt.Sprint("old ", round)})
			a.expireKeys()
			name := fmt.Sprint("new ", round)
			answers := make([]string, 8)
			var wg sync.WaitGroup
			wg.Go(func() {
				if _, err := idempotency.Sweep(t.Context(), a.db); err != nil {
					t.Error(err)
				}
			})
			for i := range answers {
				wg.Go(func() { answers[i] = a.under("k", keyedMutation, vars{"name": name}) })
			}
			wg.Wait()
			for _, answer := range answers {
				if answer != answers[0] || !strings.Contains(answer, `"name":"`+name+`"`) {
					t.Fatalf("different answers:\n%s\n%s", answer, answers[0])
				}
			}
			a.expireKeys()
			if _, err := idempotency.Sweep(t.Context(), a.db); err != nil {
				t.Fatal(err)
			}
		}
		a.whole(20)
	})
}

// TestIdempotencyExpiryReadsAnIndex asks the database for its plan to find expired keys among many.
// The plan uses an index.
func TestIdempotencyExpiryReadsAnIndex(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) {
		a := newAPI(t, url)
		a.stored(func(ctx context.Context, c *ent.Client) {
			keys := make([]*ent.IdempotencyKeyCreate, 3000)
			for i := range keys {
				keys[i] = c.IdempotencyKey.Create().SetViewer("").SetKey(fmt.Sprint(i)).SetFingerprint("f").SetExpiresAt(time.Now().Add(time.Duration(i-10) * time.Minute))
			}
			if err := c.IdempotencyKey.CreateBulk(keys...).Exec(ctx); err != nil {
				t.Fatal(err)
			}
		})
		var search string
		a.db.Watch = func(_ context.Context, statement string, _ time.Duration, _ error) {
			if strings.HasPrefix(statement, "SELECT") && strings.Contains(statement, "idempotency_keys") && search == "" {
				search = statement
			}
		}
		if n, err := idempotency.Sweep(t.Context(), a.db); n < 10 || n > 12 || err != nil {
			t.Errorf("Sweep removed %d keys (%v), want those that have expired", n, err)
		}
		explain := "EXPLAIN "
		if a.db.Dialect != "postgres" {
			explain = "EXPLAIN QUERY PLAN "
		}
		if _, err := a.db.ExecContext(t.Context(), "ANALYZE"); err != nil {
			t.Fatal(err)
		}
		rows, err := a.db.QueryContext(t.Context(), explain+search, time.Now().UTC())
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		var plan string
		for rows.Next() {
			columns, _ := rows.Columns()
			values := make([]any, len(columns))
			for i := range values {
				values[i] = new(any)
			}
			if err := rows.Scan(values...); err != nil {
				t.Fatal(err)
			}
			plan += fmt.Sprintln(*values[len(values)-1].(*any))
		}
		if err := rows.Err(); err != nil || !strings.Contains(strings.ToUpper(plan), "INDEX") || !strings.Contains(plan, "expires_at") {
			t.Errorf("%s\nis done by (%v)\n%s\nwant the index on expires_at", search, err, plan)
		}
	})
}
