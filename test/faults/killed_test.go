package faults

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"forge/test/dbtest"
)

// TestKill kills Forge at random moments while clients order. After a restart, every acknowledged
// order is stored, no order is stored in part, and an order without an answer that is sent again
// under its key is placed once.
func TestKill(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, url string) {
		f := start(t, url)
		const clients = 8
		s := f.opened(10, 1_000_000)
		acknowledged := new(placed)
		var unanswered, keys atomic.Int64
		for range sized(3, 20) {
			var mu sync.Mutex
			open := map[string]vars{} // orders without an answer, by their keys
			running := f
			stop := keep(clients, func(ctx context.Context, _ int) {
				key, order := fmt.Sprint("order ", keys.Add(1)), s.anyOrder()
				got := underKey(running.Client, key).Send(background, createOrder, order)
				switch {
				case got.OK():
					acknowledged.add(got)
				case got.Err != nil:
					mu.Lock()
					open[key] = order
					mu.Unlock()
					<-ctx.Done() // no server runs
				default:
					t.Error(got)
				}
			})
			time.Sleep(time.Duration(50+rand.IntN(250)) * time.Millisecond)
			f.Kill()
			stop()
			s.audit(t, url)
			f = start(t, url)
			for key, order := range open {
				unanswered.Add(1)
				got := underKey(f.Client, key).Must(createOrder, order)
				acknowledged.add(got)
			}
		}
		f.allStored(acknowledged)
		b := s.audit(t, url)
		t.Logf("%d orders, %d of them acknowledged only when sent again", b.orders, unanswered.Load())
		if b.orders != len(acknowledged.ids) || b.orders == 0 {
			t.Errorf("%d orders are stored, %d were acknowledged", b.orders, len(acknowledged.ids))
		}
		f.Stop()
	})
}
