package session

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"forge/ent"
	_ "forge/ent/runtime" // the policies of ent/schema
	"forge/internal/database"
	"forge/test/dbtest"
)

// unstamped are Accounts of which no tokens were ended. Its methods ask the database all the same.
type unstamped struct{ Accounts }

func (unstamped) Stamped(ctx context.Context, _ time.Time) (map[uuid.UUID]time.Time, error) {
	_, err := ent.FromUnit(ctx).Session.Query().Exist(ctx)
	return nil, err
}

// watched are Revocations under Watch, with a clock that tests can set ahead.
type watched struct {
	*Revocations
	ahead atomic.Int64
}

func watch(t *testing.T, address string) *watched {
	t.Helper()
	db, err := database.Open(address, database.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	beside, err := db.MonitorPool()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { beside.Close() })
	w := &watched{Revocations: NewRevocations(unstamped{}, time.Minute)}
	w.limit = 2 * time.Second
	w.clock = func() time.Time { return time.Now().Add(time.Duration(w.ahead.Load())) }
	ctx, stop := context.WithCancel(t.Context())
	var watching sync.WaitGroup
	watching.Go(func() { w.Watch(ctx, beside, 5*time.Millisecond, slog.New(slog.NewTextHandler(t.Output(), nil))) })
	t.Cleanup(func() { stop(); watching.Wait() })
	return w
}

// current waits until the revocations are current, for at most a minute.
func (w *watched) current(t *testing.T) {
	t.Helper()
	for start := time.Now(); ; time.Sleep(5 * time.Millisecond) {
		if _, err := w.ValidAfter(uuid.New()); err == nil {
			return
		}
		if time.Since(start) > time.Minute {
			t.Fatalf("tokens cannot be judged; what is known is %v old", w.Age())
		}
	}
}

// TestWatchOfSilence makes connections silent without closing them. Tokens are refused when the
// last read is older than 10 s, and accepted again as soon as the database answers on another
// connection.
func TestWatchOfSilence(t *testing.T) {
	t.Parallel()
	address, proxy := dbtest.Muteable(t, dbtest.Postgres(t))
	w := watch(t, address)
	w.current(t)

	proxy.Mute()
	w.ahead.Add(int64(maxAge)) // every read that began before this is too old from now on
	for w.Age() <= maxAge {    // but another one may just have succeeded
		w.ahead.Add(int64(maxAge))
	}
	if _, err := w.ValidAfter(uuid.New()); !errors.Is(err, errNotCurrent) {
		t.Errorf("what is known is %v old, and the error is %v", w.Age(), err)
	}

	// One connection still works. Reading does not wait for the silent ones.
	before := proxy.Connections()
	proxy.MuteOpen()
	w.current(t)
	if proxy.Connections() == before {
		t.Error("a connection that was silent has answered")
	}
}

// TestNotReadYet checks that tokens are refused before the first read.
func TestNotReadYet(t *testing.T) {
	t.Parallel()
	if _, err := NewRevocations(unstamped{}, time.Minute).ValidAfter(uuid.New()); !errors.Is(err, errNotCurrent) {
		t.Errorf("%v, want that it is not known", err)
	}
	dbtest.Each(t, func(t *testing.T, address string) { watch(t, address).current(t) })
}

// TestReadIsWhole reads a thousand times. A read that succeeds is never reported as timed out.
func TestReadIsWhole(t *testing.T) {
	t.Parallel()
	db, err := database.Open(dbtest.SQLite(t), database.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for range 1000 {
		if err := NewRevocations(unstamped{}, time.Minute).Read(t.Context(), db); err != nil {
			t.Fatal(err)
		}
	}
}
