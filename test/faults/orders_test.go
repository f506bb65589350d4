package faults

import (
	"sync/atomic"
	"testing"
	"time"

	"forge/test/dbtest"
)

// TestOrders makes many clients order the same few products. There is not enough stock for all.
func TestOrders(t *testing.T) {
	for _, isolation := range []string{"read-committed", "serializable"} {
		t.Run(isolation, func(t *testing.T) {
			address := dbtest.Postgres(t)
			f := start(t, address, "ISOLATION="+isolation)
			const clients, products = 64, 10
			orders := sized(1000, 20000)
			s := f.opened(products, orders*lines*6/10/products)
			var sold, refused, again, most, gaveUp atomic.Int64
			begin := time.Now()
			atOnce(clients, orders, func(int) {
				got := f.order(background, s)
				switch code := got.Code(); {
				case code == "":
					sold.Add(1)
				case code == "INSUFFICIENT_STOCK":
					refused.Add(1)
				case code == "UNAVAILABLE" && isolation == "serializable":
					gaveUp.Add(1)
					wantUnavailable(t, got)
				default:
					t.Errorf("%s\nwant success or INSUFFICIENT_STOCK", got)
				}
				if n := int64(got.Attempts()); n > 1 {
					again.Add(1)
					for old := most.Load(); n > old && !most.CompareAndSwap(old, n); old = most.Load() {
					}
				}
			})
			b := s.audit(t, address)
			t.Logf("%d orders in %s: %d sold, %d refused, %d given up; %d took more than one attempt, %d at most; %d left in stock",
				orders, time.Since(begin).Round(time.Millisecond), sold.Load(), refused.Load(), gaveUp.Load(), again.Load(), max(most.Load(), 1), b.left)
			if b.orders != int(sold.Load()) {
				t.Errorf("%d orders are stored, %d were acknowledged", b.orders, sold.Load())
			}
			if refused.Load() == 0 {
				t.Error("nothing was refused: the stock sufficed for all")
			}
			switch n := int(again.Load()); {
			case isolation == "read-committed" && n > 0:
				t.Errorf("%d of %d orders were run again: orders deadlock with each other", n, orders)
			case isolation == "serializable" && n == 0:
				t.Error("nothing was run again: the isolation level has no effect")
			}
		})
	}
}
