package faults

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"forge/test/gqltest"
)

// onStallingDisk starts a PostgreSQL that flushes each commit to its disk, and can be made to wait
// for it. It skips the test if there is no C compiler.
func onStallingDisk(t *testing.T) (address string, stall, goOn func()) {
	t.Helper()
	compiler, err := exec.LookPath("cc")
	if err != nil {
		t.Skipf("the disk of PostgreSQL cannot be stalled: %v", err)
	}
	dir, err := os.MkdirTemp("/tmp", "forge-stall-") // PostgreSQL may run as another user
	if err == nil {
		t.Cleanup(func() { _ = os.RemoveAll(dir) })
		err = os.Chmod(dir, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	library, stalled := filepath.Join(dir, "stall.so"), filepath.Join(dir, "stalled")
	if out, err := exec.Command(compiler, "-shared", "-fPIC", "-o", library, "testdata/stall.c").CombinedOutput(); err != nil {
		t.Fatalf("compile testdata/stall.c: %v: %s", err, out)
	}
	t.Setenv("FORGE_STALL", stalled)
	t.Setenv("LD_PRELOAD", library)
	_, address = ownPostgres(t)
	_ = os.Unsetenv("LD_PRELOAD") // PostgreSQL alone is to have it
	for _, statement := range []string{"ALTER SYSTEM SET fsync = on", "ALTER SYSTEM SET wal_sync_method = fdatasync", "SELECT pg_reload_conf()"} {
		if _, err := connect(t, address).Exec(statement); err != nil {
			t.Fatal(err)
		}
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Error(err)
		}
	}
	goOn = func() { t.Helper(); must(os.Remove(stalled)) }
	return address, func() { t.Helper(); must(os.WriteFile(stalled, nil, 0o600)) }, goOn
}

// TestDiskStalls stalls PostgreSQL's disk for two seconds, again and again, while clients order
// under keys. Those who are told to come back do, with the same key.
func TestDiskStalls(t *testing.T) {
	address, stall, goOn := onStallingDisk(t)
	const clients, pool = 12, 4
	f := start(t, address, "MIGRATE=on", fmt.Sprint("POOL_SIZE=", pool), "POOL_TIMEOUT=1s", "COMMIT_TIMEOUT=1500ms")
	s := f.opened(10, 1_000_000)
	acknowledged := new(placed)
	var keys, again, unknown atomic.Int64
	var mu sync.Mutex
	var times []time.Duration
	// A client that has begun with a key keeps on until its order is acknowledged.
	stop := keep(clients, func(context.Context, int) {
		keyed, order := underKey(f.Client, fmt.Sprint("order ", keys.Add(1))), s.anyOrder()
		for {
			begin := time.Now()
			got := keyed.Send(background, createOrder, order)
			if got.OK() {
				acknowledged.add(got)
				mu.Lock()
				times = append(times, time.Since(begin))
				mu.Unlock()
				return
			}
			again.Add(1)
			if got.Extension("outcome") == "unknown" {
				unknown.Add(1)
			}
			wait, err := strconv.Atoi(got.Header.Get("Retry-After"))
			if err != nil || got.Code() != "UNAVAILABLE" || got.Status != http.StatusServiceUnavailable {
				t.Errorf("%s, Retry-After %q; want 503, UNAVAILABLE, and when to come back", got, got.Header.Get("Retry-After"))
				return
			}
			time.Sleep(time.Duration(wait) * time.Second)
		}
	})
	defer stop()
	since := func() []time.Duration {
		mu.Lock()
		defer mu.Unlock()
		taken := times
		times = nil
		return taken
	}
	for round := range sized(1, 10) {
		time.Sleep(time.Second)
		before := since()
		stall()
		time.Sleep(500 * time.Millisecond) // answers that were under way arrive
		late := since()
		time.Sleep(1500 * time.Millisecond)
		if got := since(); len(got) > 0 {
			t.Errorf("%d orders were acknowledged while nothing was flushed", len(got))
		}
		goOn()
		gqltest.Eventually(t, "an order takes as long as before", func() error {
			begin := time.Now()
			acknowledged.add(underKey(f.Client, fmt.Sprint("order ", keys.Add(1))).Must(createOrder, s.anyOrder()))
			if took := time.Since(begin); took > 500*time.Millisecond {
				return fmt.Errorf("it takes %s", took)
			}
			return nil
		})
		f.MustLive()
		t.Logf("round %d: before, %s; %d more as the disk stalled; %d answers so far said to come back, %d of them that the outcome is unknown",
			round+1, spread(before), len(late), again.Load(), unknown.Load())
	}
	time.Sleep(time.Second)
	after := since()
	stop()
	t.Logf("afterwards, %s", spread(after))
	if again.Load() == 0 {
		t.Error("nobody was told to come back: did the disk stall?")
	}
	f.allStored(acknowledged)
	t.Logf("%d orders are acknowledged; %d answers said to come back", len(acknowledged.ids), again.Load())
	if b := s.audit(t, address); b.orders != len(acknowledged.ids) || int64(b.orders) != keys.Load() {
		t.Errorf("%d orders are stored, %d were acknowledged, of %d keys", b.orders, len(acknowledged.ids), keys.Load())
	}
	f.idle()
}
