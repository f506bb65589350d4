package faults

import (
	"fmt"
	"net"
	"sync"
	"testing"
	"time"

	"forge/test/dbtest"
)

// distant returns a function for dbtest.Forward that delays what is sent in each direction. What
// follows something that is under way is under way as well.
func distant(delay time.Duration) func(client, server net.Conn) {
	return func(client, server net.Conn) {
		go carry(server, client, delay)
		go carry(client, server, delay)
	}
}

func carry(to, from net.Conn, delay time.Duration) {
	defer from.Close()
	type part struct {
		due   time.Time
		bytes []byte
	}
	parts := make(chan part, 1024)
	go func() {
		defer to.Close()
		for p := range parts {
			time.Sleep(time.Until(p.due))
			_, _ = to.Write(p.bytes)
		}
	}()
	defer close(parts)
	for {
		buffer := make([]byte, 16<<10)
		n, err := from.Read(buffer)
		if n > 0 {
			parts <- part{time.Now().Add(delay), buffer[:n]}
		}
		if err != nil {
			return
		}
	}
}

// TestHotProductAtADistance has 16 clients order the same product under keys, with 20 ms to
// PostgreSQL and back. The long form is for its figure.
func TestHotProductAtADistance(t *testing.T) {
	t.Parallel()
	address := dbtest.Postgres(t)
	const clients = 16
	f := start(t, dbtest.Through(t, address, distant(10*time.Millisecond)), fmt.Sprint("POOL_SIZE=", clients))
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
