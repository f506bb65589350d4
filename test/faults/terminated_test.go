package faults

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"forge/test/dbtest"
)

// TestConnectionsAreKilled has PostgreSQL end all of Forge's connections under load, several times.
// Mutations in flight may fail, with UNAVAILABLE. Reads are run again, and no client notices.
// Mutations that start a second later are not affected.
func TestConnectionsAreKilled(t *testing.T) {
	address := dbtest.Postgres(t)
	f := start(t, address)
	s := f.opened(10, 1_000_000)
	admin := connect(t, address)
	var killed struct {
		sync.Mutex
		at time.Time
	}
	var reads, writes, failed, terminated atomic.Int64
	var latest atomic.Int64 // a mutation failed that began after the connections were killed
	stopReads := keep(4, func(context.Context, int) {
		reads.Add(1)
		if got := f.Send(background, `query stock { products { totalCount nodes { stock } } orders(first: 3) { nodes { items { product { stock } } } } }`, nil); !got.OK() {
			t.Errorf("a read failed: %s", got)
		}
		if got := f.Send(background, `query one($id: ID!) { product(id: $id) { stock } }`, vars{"id": s.products[0]}); !got.OK() {
			t.Errorf("a read of one statement failed: %s", got)
		}
	})
	acknowledged := new(placed)
	stopWrites := keep(4, func(context.Context, int) {
		start := time.Now()
		writes.Add(1)
		got := f.order(background, s)
		if got.OK() {
			acknowledged.add(got)
			return
		}
		failed.Add(1)
		wantUnavailable(t, got)
		killed.Lock()
		defer killed.Unlock()
		latest.Store(max(latest.Load(), int64(start.Sub(killed.at))))
	})
	for range sized(3, 20) {
		time.Sleep(300 * time.Millisecond)
		killed.Lock()
		var n int64
		err := admin.QueryRow(`SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'forge'`).Scan(&n)
		killed.at = time.Now()
		killed.Unlock()
		if err != nil {
			t.Fatal(err)
		}
		terminated.Add(n)
	}
	time.Sleep(300 * time.Millisecond)
	stopWrites()
	stopReads()
	t.Logf("%d connections killed during %d pairs of reads and %d mutations, %d of which failed, the last one started %s after a kill",
		terminated.Load(), reads.Load(), writes.Load(), failed.Load(), time.Duration(latest.Load()))
	if d := time.Duration(latest.Load()); d > time.Second {
		t.Errorf("a mutation failed that started %s after the connections were killed, want none after 1s", d)
	}
	if terminated.Load() == 0 {
		t.Error("no connection was killed")
	}
	f.allStored(acknowledged)
	s.audit(t, address)
	f.MustLive()
	f.idle()
}
