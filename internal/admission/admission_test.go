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
func queued(t *testing.T, l *Limiter, n int) {
	t.Helper()
	for {
		if _, waiting := l.Counts(); waiting == n {
			return
		}
		runtime.Gosched()
	}
}

func mustAcquire(t *testing.T, l *Limiter) {
	t.Helper()
	if err := l.Acquire(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestLimiter(t *testing.T) {
	t.Parallel()
	synctest.Test(t, testLimiter)
}

func testLimiter(t *testing.T) {
	l := New(2, 3, time.Hour)
	mustAcquire(t, l)
	mustAcquire(t, l)
	if l.Full() {
		t.Error("full, and there is room to wait")
	}
	order := make(chan int, 3)
	for i := range 3 {
		go func() {
			if err := l.Acquire(context.Background()); err != nil {
				t.Error(err)
			}
			order <- i
		}()
		synctest.Wait() // until it stands in the queue
	}
	if !l.Full() {
		t.Error("2 run and 3 wait, and it is not full")
	}
	if err := l.Acquire(t.Context()); !errors.Is(err, ErrFull) {
		t.Errorf("one more: %v", err)
	}
	if running, waiting := l.Counts(); running != 2 || waiting != 3 {
		t.Errorf("%d run and %d wait, want 2 and 3", running, waiting)
	}
	for i := range 3 {
		l.Release()
		if got := <-order; got != i {
			t.Errorf("the one that came as number %d was let in as number %d", got, i)
		}
	}
	l.Release()
	l.Release()
	if running, waiting := l.Counts(); running != 0 || waiting != 0 || l.Full() {
		t.Errorf("%d run and %d wait at the end", running, waiting)
	}
}

func TestLimiterTimeout(t *testing.T) {
	t.Parallel()
	l := New(1, 1, time.Millisecond)
	mustAcquire(t, l)
	if err := l.Acquire(t.Context()); !errors.Is(err, ErrTimeout) {
		t.Errorf("waited in vain: %v", err)
	}
	l.timeout = time.Hour
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		queued(t, l, 1)
		cancel()
	}()
	if err := l.Acquire(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("the client has gone: %v", err)
	}
	if running, waiting := l.Counts(); running != 1 || waiting != 0 {
		t.Errorf("%d run and %d wait, want 1 and none", running, waiting)
	}
}

func TestLimiterNil(t *testing.T) {
	t.Parallel()
	l := New(0, 0, 0)
	if l.Full() {
		t.Error("a gate for all is full")
	}
	mustAcquire(t, l)
	l.Release()
}

// TestLimiterConcurrent sends many through: never do more run than may, and each is let in or refused.
func TestLimiterConcurrent(t *testing.T) {
	t.Parallel()
	const most = 4
	l := New(most, 8, time.Minute)
	var running, ran, refused atomic.Int64
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			for range 200 {
				if err := l.Acquire(context.Background()); err != nil {
					refused.Add(1)
					continue
				}
				if n := running.Add(1); n > most {
					t.Errorf("%d run at once", n)
				}
				runtime.Gosched()
				running.Add(-1)
				ran.Add(1)
				l.Release()
			}
		})
	}
	wg.Wait()
	if ran.Load() == 0 || ran.Load()+refused.Load() != 50*200 {
		t.Errorf("%d ran and %d were refused of %d", ran.Load(), refused.Load(), 50*200)
	}
	if running, waiting := l.Counts(); running != 0 || waiting != 0 {
		t.Errorf("%d run and %d wait at the end", running, waiting)
	}
}

func BenchmarkLimiter(b *testing.B) {
	l := New(128, 256, time.Second)
	ctx := b.Context()
	b.ReportAllocs()
	for b.Loop() {
		if l.Full() || l.Acquire(ctx) != nil {
			b.Fatal("refused")
		}
		l.Release()
	}
}
