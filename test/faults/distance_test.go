package faults

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"forge/test/dbtest"
)

// TestHotProductAtADistance has 16 clients order the same product under keys, with 20 ms to
// PostgreSQL and back. The long form is for its figure.
func TestHotProductAtADistance(t *testing.T) {
	t.Parallel()
	address := dbtest.Postgres(t)
	const clients = 16
	f := start(t, dbtest.Through(t, address, dbtest.Distant(20*time.Millisecond)), fmt.Sprint("POOL_SIZE=", clients))
	s := f.opened(lines, 1<<20)
	hot := vars{"input": vars{"userId": s.user, "items": []vars{{"productId": s.products[0], "quantity": 1}}}}
	const order = `mutation createOrder($input: CreateOrderInput!) { createOrder(input: $input) { order { id totalCents } } }`
	atOnce(clients, clients, func(i int) { underKey(f.Client, fmt.Sprint("first ", i)).Must(order, hot) }) // statements are prepared
	orders := sized(32, 1000)
	var mu sync.Mutex
	var times []time.Duration
	begin := time.Now()
	atOnce(clients, orders, func(i int) {
		start := time.Now()
		if got := underKey(f.Client, fmt.Sprint(i)).Send(background, order, hot); !got.OK() || got.Attempts() != 1 {
			t.Errorf("%s", got)
		}
		mu.Lock()
		defer mu.Unlock()
		times = append(times, time.Since(start))
	})
	t.Logf("%.0f orders a second, %s", float64(orders)/time.Since(begin).Seconds(), spread(times))
}
