package faults

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"forge/test/dbtest"
)

// TestSQLiteWriters has 16 clients place orders at once, on one connection and on 16, beside
// clients that read. SQLite lets one of them write at a time. No order may need a second attempt,
// and while one client has all of its orders placed, no other one may be left far behind. The long
// form is for its figures, and checks the size of the log under a load that lasts.
func TestSQLiteWriters(t *testing.T) {
	for _, readers := range []int{0, 4} {
		for _, pool := range []int{1, 16} {
			t.Run(fmt.Sprintf("pool=%d/readers=%d", pool, readers), func(t *testing.T) {
				address := dbtest.SQLite(t)
				f := start(t, address, fmt.Sprint("POOL_SIZE=", pool))
				const writers = 16
				s := f.opened(lines, 1<<20)
				var mu sync.Mutex
				var placed, read []time.Duration
				var log int64
				each := make([]int, writers)
				share := sized(6, 600)
				ctx, done := context.WithCancel(background)
				begin := time.Now()
				stopReading := keep(readers, func(context.Context, int) {
					start := time.Now()
					f.Must(shelf, nil)
					mu.Lock()
					defer mu.Unlock()
					read = append(read, time.Since(start))
				})
				stop := keep(writers, func(_ context.Context, i int) {
					start := time.Now()
					got := f.order(background, s)
					if !got.OK() || got.Attempts() > 1 {
						t.Errorf("attempt %d: %s", got.Attempts(), got)
					}
					mu.Lock()
					defer mu.Unlock()
					placed = append(placed, time.Since(start))
					if info, err := os.Stat(strings.TrimPrefix(address, "sqlite:") + "-wal"); err == nil {
						log = max(log, info.Size())
					}
					if each[i]++; each[i] >= share {
						done()
					}
				})
				<-ctx.Done()
				stop()
				took := time.Since(begin)
				stopReading()
				t.Logf("%.0f orders a second, %s; %.0f reads a second, %s; the clients have placed %d to %d; the log has %.1f MiB at most",
					float64(len(placed))/took.Seconds(), spread(placed), float64(len(read))/took.Seconds(), spread(read),
					slices.Min(each), slices.Max(each), float64(log)/(1<<20))
				if slices.Min(each) < share/2 {
					t.Errorf("when one client had placed %d orders, another one had %d", share, slices.Min(each))
				}
				if log > 64<<20 {
					t.Errorf("the log has %d bytes, want 64 MiB at most", log)
				}
				s.audit(t, address)
			})
		}
	}
}

const shelf = `{ products(first: 50) { nodes { id name priceCents stock } totalCount } }`

// spread describes the times that requests have taken.
func spread(times []time.Duration) string {
	if len(times) == 0 {
		return "none"
	}
	slices.Sort(times)
	return fmt.Sprintf("p50 %s, p99 %s", times[len(times)/2].Round(100*time.Microsecond), times[len(times)*99/100].Round(100*time.Microsecond))
}
