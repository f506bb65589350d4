package admission

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// queued waits until so many operations wait at the gate.
func queued(t *testing.T, g *Gate, n int) {
	t.Helper()
	for {
		if _, waiting := g.Counts(); waiting == n {
			return
		}
		runtime.Gosched()
	}
}

func mustEnter(t *testing.T, g *Gate) {
	t.Helper()
	if err := g.Enter(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestGate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, testGate)
}

func testGate(t *testing.T) {
	g := New(2, 3, time.Hour)
	mustEnter(t, g)
	mustEnter(t, g)
	if g.Full() {
		t.Error("full, and there is room to wait")
	}
	order := make(chan int, 3)
	for i := range 3 {
		go func() {
			if err := g.Enter(context.Background()); err != nil {
				t.Error(err)
			}
			order <- i
		}()
		synctest.Wait() // until it stands in the queue
	}
	if !g.Full() {
		t.Error("2 run and 3 wait, and it is not full")
	}
	if err := g.Enter(t.Context()); !errors.Is(err, ErrFull) {
		t.Errorf("one more: %v", err)
	}
	if running, waiting := g.Counts(); running != 2 || waiting != 3 {
		t.Errorf("%d run and %d wait, want 2 and 3", running, waiting)
	}
	for i := range 3 {
		g.Leave()
		if got := <-order; got != i {
			t.Errorf("the one that came as number %d was let in as number %d", got, i)
		}
	}
	g.Leave()
	g.Leave()
	if running, waiting := g.Counts(); running != 0 || waiting != 0 || g.Full() {
		t.Errorf("%d run and %d wait at the end", running, waiting)
	}
}

func TestGivenUp(t *testing.T) {
	t.Parallel()
	g := New(1, 1, time.Millisecond)
	mustEnter(t, g)
	if err := g.Enter(t.Context()); !errors.Is(err, ErrLate) {
		t.Errorf("waited in vain: %v", err)
	}
	g.patience = time.Hour
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		queued(t, g, 1)
		cancel()
	}()
	if err := g.Enter(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("the client has gone: %v", err)
	}
	if running, waiting := g.Counts(); running != 1 || waiting != 0 {
		t.Errorf("%d run and %d wait, want 1 and none", running, waiting)
	}
}

func TestNoGate(t *testing.T) {
	t.Parallel()
	g := New(0, 0, 0)
	if g.Full() {
		t.Error("a gate for all is full")
	}
	mustEnter(t, g)
	g.Leave()
}

// TestCrowd sends many through: never do more run than may, and each is let in or refused.
func TestCrowd(t *testing.T) {
	t.Parallel()
	const most = 4
	g := New(most, 8, time.Minute)
	var running, ran, refused atomic.Int64
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			for range 200 {
				if err := g.Enter(context.Background()); err != nil {
					refused.Add(1)
					continue
				}
				if n := running.Add(1); n > most {
					t.Errorf("%d run at once", n)
				}
				runtime.Gosched()
				running.Add(-1)
				ran.Add(1)
				g.Leave()
			}
		})
	}
	wg.Wait()
	if ran.Load() == 0 || ran.Load()+refused.Load() != 50*200 {
		t.Errorf("%d ran and %d were refused of %d", ran.Load(), refused.Load(), 50*200)
	}
	if running, waiting := g.Counts(); running != 0 || waiting != 0 {
		t.Errorf("%d run and %d wait at the end", running, waiting)
	}
}

func BenchmarkGate(b *testing.B) {
	g := New(128, 256, time.Second)
	ctx := b.Context()
	b.ReportAllocs()
	for b.Loop() {
		if g.Full() || g.Enter(ctx) != nil {
			b.Fatal("refused")
		}
		g.Leave()
	}
}
