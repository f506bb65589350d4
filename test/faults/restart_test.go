package faults

import (
	"context"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"forge/test/dbtest"
)

// freeAddrs returns addresses of this machine on which nobody listens.
func freeAddrs(t *testing.T, n int) (addrs []string) {
	t.Helper()
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		addrs = append(addrs, l.Addr().String())
	}
	return addrs
}

// TestRestarts ends three servers behind a balancer by SIGTERM and starts them again, one after the other, while clients read and order. No
// request fails, and no order is lost or placed twice.
func TestRestarts(t *testing.T) {
	address := dbtest.Postgres(t)
	addrs := freeAddrs(t, 3)
	serve := func(i int) *forge {
		return start(t, address, "ADDR="+addrs[i], "POOL_SIZE=6", "SHUTDOWN_DELAY=1s")
	}
	servers := make([]*forge, len(addrs))
	for i := range servers {
		servers[i] = serve(i)
	}
	s := servers[0].opened(10, 1_000_000)
	lb := balance(t, addrs)
	front := &forge{t: t, url: lb.url}
	for _, b := range lb.backends {
		eventually(t, b.addr+" is ready", func() error {
			if !b.ready.Load() {
				return context.DeadlineExceeded
			}
			return nil
		})
	}
	var reads, orders, failed, slowest atomic.Int64
	acknowledged := new(placed)
	stop := keep(8, func(_ context.Context, i int) {
		begin := time.Now()
		var got reply
		if i%2 == 0 {
			if got = front.order(background, s); got.ok() {
				orders.Add(1)
				acknowledged.add(got)
			}
		} else if got = front.send(background, `query stock { products { totalCount nodes { name stock } } }`, nil); got.ok() {
			reads.Add(1)
		}
		if took := int64(time.Since(begin)); took > slowest.Load() {
			slowest.Store(took)
		}
		if !got.ok() && failed.Add(1) <= 10 {
			t.Errorf("a request failed: %s", got)
		}
		time.Sleep(time.Millisecond) // the tests have two cores
	})
	defer stop()
	restarts := sized(3, 20)
	for n := range restarts {
		i := n % len(servers)
		lb.backends[i].mustServe(t)
		servers[i].stop()
		servers[i] = serve(i)
	}
	for _, b := range lb.backends {
		b.mustServe(t)
	}
	stop()
	t.Logf("%d restarts: %d reads, %d orders, %d failed; %d connections refused, which went to another server; the slowest took %s",
		restarts, reads.Load(), orders.Load(), failed.Load(), lb.refused.Load(), time.Duration(slowest.Load()).Round(time.Millisecond))
	if n := lb.broken.Load(); n != 0 {
		t.Errorf("%d requests were sent to a server that did not answer", n)
	}
	front.allStored(acknowledged)
	if b := s.audit(t, address); int64(b.orders) != orders.Load() {
		t.Errorf("%d orders are stored, %d were acknowledged", b.orders, orders.Load())
	}
}
