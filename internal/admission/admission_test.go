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

// queued returns when n operations wait.
func queued(t *testing.T, l *Limiter, n int) {
	t.Helper()
	for {
		if _, waiting := l.Counts(); waiting == n {
			return
		}
		runtime.Gosched()
	}
}

// mustAcquire acquires a place.
func mustAcquire(t *testing.T, l *Limiter) {
	t.Helper()
	if err := l.Acquire(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// TestLimiter fills a limiter, and checks the order in which operations run.
func TestLimiter(t *testing.T) {
	t.Parallel()
	synctest.Test(t, testLimiter)
}

func testLimiter(t *testing.T) {
	l := New(2, 3, time.Hour)
	mustAcquire(t, l)
	mustAcquire(t, l)
	if l.Full() {
		t.Error("full, although there is room in the queue")
	}
	order := make(chan int, 3)
	for i := range 3 {
		go func() {
			if err := l.Acquire(context.Background()); err != nil {
				t.Error(err)
			}
			order <- i
		}()
		synctest.Wait() // until it waits in the queue
	}
	if !l.Full() {
		t.Error("not full, although 2 run and 3 wait")
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
			t.Errorf("the one that came as number %d ran as number %d", got, i)
		}
	}
	l.Release()
	l.Release()
	if running, waiting := l.Counts(); running != 0 || waiting != 0 || l.Full() {
		t.Errorf("%d run and %d wait at the end", running, waiting)
	}
}

// TestLimiterTimeout checks operations that wait for too long, and ones that are cancelled.
func TestLimiterTimeout(t *testing.T) {
	t.Parallel()
	l := New(1, 1, time.Millisecond)
	mustAcquire(t, l)
	if err := l.Acquire(t.Context()); !errors.Is(err, ErrTimeout) {
		t.Errorf("waited too long: %v", err)
	}
	l.timeout = time.Hour
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		queued(t, l, 1)
		cancel()
	}()
	if err := l.Acquire(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if running, waiting := l.Counts(); running != 1 || waiting != 0 {
		t.Errorf("%d run and %d wait, want 1 and none", running, waiting)
	}
}

// TestLimiterNil checks that a nil limiter admits all operations.
func TestLimiterNil(t *testing.T) {
	t.Parallel()
	l := New(0, 0, 0)
	if l.Full() {
		t.Error("a nil limiter is full")
	}
	mustAcquire(t, l)
	l.Release()
}

// TestLimiterConcurrent checks that never more operations run than allowed, and that each one runs
// or is refused.
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

// TestPause has operations that run wait for something. Another one runs in the place of the first,
// and the second keeps its own, because half of the queue waits already.
func TestPause(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := New(1, 2, time.Second)
		mustAcquire(t, l)
		ready, ended := make(chan struct{}), make(chan error, 1)
		reason := errors.New("not yet")
		go func() {
			ended <- l.Pause(func() error {
				<-ready
				return reason
			})
		}()
		synctest.Wait()
		mustAcquire(t, l)
		if err := l.Pause(func() error { return nil }); !errors.Is(err, ErrFull) {
			t.Errorf("a second one that waits: %v", err)
		}
		close(ready)
		synctest.Wait()
		if len(ended) > 0 {
			t.Error("the first goes on without a place")
		}
		l.Release()
		if err := <-ended; err != reason {
			t.Errorf("the first: %v", err)
		}
		if running, waiting := l.Counts(); running != 1 || waiting != 0 {
			t.Errorf("%d run and %d wait, want the first", running, waiting)
		}
		l.Release()
		for _, none := range []*Limiter{nil, New(1, 0, time.Second)} {
			if err := none.Pause(func() error { return reason }); err != reason {
				t.Errorf("without a queue: %v", err)
			}
		}
	})
}
