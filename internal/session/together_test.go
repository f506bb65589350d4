package session

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"forge/internal/database"
	"forge/test/dbtest"
	"forge/test/gqltest"
)

func open(t *testing.T, address string) *database.DB {
	t.Helper()
	db, err := database.Open(address, database.Options{PoolSize: 4})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// TestThrottleTogether fails on two servers of one database. They let in as many as one. A server
// that knows that a key has to wait refuses it without the database.
func TestThrottleTogether(t *testing.T) {
	t.Parallel()
	address := dbtest.Postgres(t)
	var servers []*throttle
	for range 2 {
		servers = append(servers, newThrottle(NewFailures(open(t, address), slog.New(slog.DiscardHandler)), time.Now, freeFailures))
	}
	key := about("ada", "192.0.2.1")
	for i := range freeFailures {
		a, err := servers[i%2].begin(t.Context(), key)
		if err != nil {
			t.Fatalf("attempt %d: %v", i, err)
		}
		a.failed()
	}
	for i, s := range servers {
		if _, err := s.begin(t.Context(), key); retryAfter(err) < 10 {
			t.Errorf("server %d: %v, want RATE_LIMITED for 15 s", i, err)
		}
		if wait := s.wait(key); wait <= 0 {
			t.Errorf("server %d does not remember that the key has to wait", i)
		}
	}
	other := about("eve", "192.0.2.1")
	a, err := servers[0].begin(t.Context(), other)
	if err != nil {
		t.Fatal(err)
	}
	a.succeeded()
	if n := servers[0].known.Len(); n != 1 {
		t.Errorf("%d keys are remembered, want the one that failed", n)
	}
}

// TestThrottleWithoutTable counts where the database can only be read, and where it is away. The
// process then counts by itself.
func TestThrottleWithoutTable(t *testing.T) {
	t.Parallel()
	readOnly := open(t, dbtest.Postgres(t)+"&default_transaction_read_only=on")
	away := open(t, "postgres://127.0.0.1:1/nothing?sslmode=disable&connect_timeout=1")
	for what, db := range map[string]*database.DB{"read-only": readOnly, "away": away} {
		th := newThrottle(NewFailures(db, slog.New(slog.DiscardHandler)), time.Now, freeFailures)
		for i := range freeFailures {
			a, err := th.begin(t.Context(), about("ada"))
			if err != nil {
				t.Fatalf("%s: attempt %d: %v", what, i, err)
			}
			a.failed()
		}
		if _, err := th.begin(t.Context(), about("ada")); retryAfter(err) != 15 {
			t.Errorf("%s: %v, want RATE_LIMITED for 15 s", what, err)
		}
	}
}

// TestRevocationsAreTold has one server tell another that it has ended tokens. The other reads at
// once, long before its next look.
func TestRevocationsAreTold(t *testing.T) {
	t.Parallel()
	address := dbtest.Postgres(t)
	one, other := NewRevocations(unstamped{}, time.Minute), NewRevocations(unstamped{}, time.Minute)
	db, theirs := open(t, address), open(t, address)
	ctx, stop := context.WithCancel(t.Context())
	var all sync.WaitGroup
	defer all.Wait()
	defer stop()
	all.Go(func() { one.Announce(ctx, db) })
	all.Go(func() { other.Watch(ctx, theirs, time.Hour, slog.New(slog.DiscardHandler)) })
	listens := make(chan struct{})
	told := sync.OnceFunc(func() { close(listens) })
	all.Go(func() {
		theirs.Listen(ctx, "", map[string]func(){Channel: func() { other.Look(); told() }})
	})
	<-listens
	read := func(since time.Time) error {
		if last := other.last.Load(); last == nil || last.at.Before(since) {
			return errors.New("not read since")
		}
		return nil
	}
	gqltest.Eventually(t, "the other server reads when it begins to listen", func() error { return read(time.Time{}) })
	time.Sleep(10 * time.Millisecond)
	start := time.Now()
	one.Wrote() // nothing was ended
	time.Sleep(50 * time.Millisecond)
	if read(start) == nil {
		t.Error("a commit that ends no tokens was told")
	}
	one.Add(uuid.New(), time.Now())
	one.Wrote()
	gqltest.Eventually(t, "the other server reads", func() error { return read(start) })
}
