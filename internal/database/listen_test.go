package database_test

import (
	"cmp"
	"context"
	"errors"
	"sync/atomic"
	"testing"

	"forge/internal/database"
	"forge/test/dbtest"
	"forge/test/gqltest"
)

// TestListen checks that notifications arrive, also after the connection that listens was lost, and
// that nothing goes on after the context has ended.
func TestListen(t *testing.T) {
	t.Parallel()
	db, err := database.Open(dbtest.EmptyPostgres(t), database.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	ctx, cancel := context.WithCancel(t.Context())
	var calls, others atomic.Int64
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		db.Listen(ctx, "", map[string]func(){"forge_test": func() { calls.Add(1) }, "forge_other": func() { others.Add(1) }})
	}()
	called := func(what string) {
		t.Helper()
		before := calls.Load()
		gqltest.Eventually(t, what, func() error {
			if calls.Load() > before {
				return nil
			}
			_, err := db.ExecContext(t.Context(), "SELECT pg_notify('forge_test', '')")
			return cmp.Or(err, errors.New("not called"))
		})
	}
	called("the first notification")
	before := others.Load()
	called("the second notification")
	if n := others.Load() - before; n != 0 {
		t.Errorf("the function of another channel was called %d times", n)
	}
	var lost int
	if err := db.QueryRowContext(t.Context(), "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'forge listens' AND datname = current_database()").Scan(&lost); err != nil || lost != 1 {
		t.Fatalf("ended %d connections that listen, %v; want 1", lost, err)
	}
	called("a notification after the connection was lost")
	database.Lose(db)
	called("a notification after the pool has lost its connections")
	cancel()
	<-ended
}
