package deploy

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"forge/test/gqltest"
)

// TestHighAvailability runs the files of deploy/ha, and takes the primary's machine away under
// orders. No acknowledged order is lost, none is stored twice, and the stock adds up.
func TestHighAvailability(t *testing.T) {
	if os.Getenv("FORGE_SOAK") == "" {
		t.Skip("takes minutes; FORGE_SOAK=1 runs it")
	}
	for name, pgbouncer := range map[string]bool{"hosts": false, "pgbouncer": true} {
		t.Run(name, func(t *testing.T) {
			c := newCluster(t, pgbouncer)
			c.setUp()
			s := c.open()
			stop := s.load()
			defer stop()
			s.during("nothing happens", func() { time.Sleep(5 * time.Second) })
			for range 3 {
				from := c.primary()
				s.during("machine killed", from.kill)
				from.start()
				c.awaitStandbys(2)
				from.serve()
			}
			for range 2 {
				from := c.primary()
				s.during("switchover", func() { c.switchover(from) })
				c.awaitStandbys(2)
			}
			stop()
			s.audit()
		})
	}
}

const (
	writers, readers = 6, 2
	atFirst          = 1_000_000 // stock of each product
)

// haShop is a user who orders, each order under a key of its own, and products.
type haShop struct {
	*cluster
	*gqltest.Client
	user     string
	products []string
	key      atomic.Int64
	settle   time.Duration // how long is measured after what was done

	mu     sync.Mutex
	placed map[string]string // the acknowledged orders, by key
	writes gauge
	reads  gauge
}

// gauge measures the longest pause between successes.
type gauge struct {
	last    time.Time
	longest time.Duration
	ended   time.Time      // when the longest pause ended
	refused map[string]int // answers that were no success, by code
}

// open creates the shop. Its requests go to any machine whose HAProxy listens, as those of clients
// do that know the addresses of all.
func (c *cluster) open() *haShop {
	c.t.Helper()
	dial := func(ctx context.Context, network, _ string) (conn net.Conn, err error) {
		for _, m := range c.machines {
			if conn, err = new(net.Dialer).DialContext(ctx, network, m.address+":8000"); err == nil {
				return conn, nil
			}
		}
		return nil, err
	}
	client := &http.Client{Transport: &http.Transport{DialContext: dial, MaxIdleConnsPerHost: 20}, Timeout: 90 * time.Second}
	s := &haShop{cluster: c, Client: gqltest.New(c.t, "http://127.0.0.1:8000").Through(client), placed: map[string]string{}, settle: 30 * time.Second}
	gqltest.Eventually(c.t, "HAProxy has a server", func() error {
		if got := s.Send(c.t.Context(), `{ products { totalCount } }`, nil); !got.OK() {
			return errors.New(got.String())
		}
		return nil
	})
	s.user = s.Must(`mutation { createUser(input: {username: "buyer"}) { user { id } } }`, nil).Text("createUser.user.id")
	for i := range 5 {
		got := s.Must(`mutation($sku: String!, $stock: Int!) { createProduct(input: {sku: $sku, name: $sku, priceCents: 1, stock: $stock}) { product { id } } }`,
			gqltest.Vars{"sku": fmt.Sprint("P", i), "stock": atFirst})
		s.products = append(s.products, got.Text("createProduct.product.id"))
	}
	return s
}

// load orders and reads until stop is called. stop returns when all orders are acknowledged.
func (s *haShop) load() (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var all sync.WaitGroup
	for range writers {
		all.Go(func() {
			for ctx.Err() == nil {
				s.insist(fmt.Sprint("order-", s.key.Add(1)))
				time.Sleep(20 * time.Millisecond) // the machine may be small: what counts is the pause
			}
		})
	}
	for range readers {
		all.Go(func() {
			for ctx.Err() == nil {
				s.count(&s.reads, s.Send(context.Background(), `{ products { nodes { sku stock } } }`, nil))
				time.Sleep(20 * time.Millisecond)
			}
		})
	}
	return sync.OnceFunc(func() {
		cancel()
		all.Wait()
	})
}

// insist sends an order under its key until it is acknowledged.
func (s *haShop) insist(key string) {
	product := s.products[int(key[len(key)-1])%len(s.products)]
	for end := time.Now().Add(3 * time.Minute); ; time.Sleep(50 * time.Millisecond) {
		got := s.With("Idempotency-Key", key).Send(context.Background(),
			`mutation createOrder($input: CreateOrderInput!) { createOrder(input: $input) { order { id } } }`,
			gqltest.Vars{"input": gqltest.Vars{"userId": s.user, "items": []gqltest.Vars{{"productId": product, "quantity": 1}}}})
		if s.count(&s.writes, got) {
			s.mu.Lock()
			s.placed[key] = got.Text("createOrder.order.id")
			s.mu.Unlock()
			return
		}
		if time.Now().After(end) {
			s.t.Errorf("%s is not acknowledged for three minutes: %s", key, got)
			return
		}
	}
}

// count notes an answer. It reports whether the answer is a success.
func (s *haShop) count(g *gauge, got gqltest.Answer) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !got.OK() {
		if g.refused != nil {
			g.refused[got.Code()]++
		}
		if code := got.Code(); code != "UNAVAILABLE" && code != gqltest.NoAnswer || got.Status >= 500 && got.Extension("outcome") == nil && got.Header.Get("Retry-After") == "" {
			s.t.Errorf("a client got %s, Retry-After %q", got, got.Header.Get("Retry-After"))
		}
		return false
	}
	now := time.Now()
	if pause := now.Sub(g.last); pause > g.longest {
		g.longest, g.ended = pause, now
	}
	g.last = now
	return true
}

// during measures while something is done, and until orders and reads go well for some seconds
// after it. It prints for how long there was none.
func (s *haShop) during(what string, do func()) {
	s.t.Helper()
	s.mu.Lock()
	begin := time.Now()
	for _, g := range []*gauge{&s.writes, &s.reads} {
		*g = gauge{last: begin, refused: map[string]int{}}
	}
	before := len(s.placed)
	s.mu.Unlock()
	do()
	time.Sleep(s.settle)
	s.mu.Lock()
	orders := len(s.placed) - before
	s.mu.Unlock()
	for goes := func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		return time.Since(s.writes.last) < time.Second && time.Since(s.reads.last) < time.Second
	}; !goes(); time.Sleep(100 * time.Millisecond) {
		if time.Since(begin) > 3*time.Minute {
			s.t.Fatalf("%s: nothing goes for three minutes", what)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.t.Logf("%s, %s: writes out for %s, reads out for %s; %d orders in %s; not successful: writes %v, reads %v", what, s.way(),
		s.writes.longest.Round(100*time.Millisecond), s.reads.longest.Round(100*time.Millisecond), orders, time.Since(begin).Round(time.Second), s.writes.refused, s.reads.refused)
}

// audit checks that each acknowledged order is stored once, and that the stock adds up.
func (s *haShop) audit() {
	s.t.Helper()
	primary := s.primary()
	stored := s.query(primary, "SELECT count(*) FROM orders")
	wrong := s.query(primary, `SELECT count(*) FROM inventories v
		WHERE $1 <> v.quantity + (SELECT coalesce(sum(i.quantity), 0) FROM order_items i WHERE i.product_id = v.product_id)`, atFirst)
	s.t.Logf("%d orders acknowledged, %s stored", len(s.placed), stored)
	if stored != fmt.Sprint(len(s.placed)) || wrong != "0" {
		s.t.Errorf("%s orders are stored, %d were acknowledged; the stock of %s products does not add up", stored, len(s.placed), wrong)
	}
	seen := map[string]bool{}
	var ids []string
	for key, id := range s.placed {
		if seen[id] {
			s.t.Errorf("%s has the order of another key", key)
		}
		seen[id] = true
		if ids = append(ids, id); len(ids) == 100 || len(seen) == len(s.placed) {
			s.mustHave(ids)
			ids = nil
		}
	}
}

// mustHave checks that orders can be read.
func (s *haShop) mustHave(ids []string) {
	s.t.Helper()
	got := s.Must(`query($ids: [ID!]!) { nodes(ids: $ids) { id } }`, gqltest.Vars{"ids": ids})
	for i, id := range ids {
		if got.Text(fmt.Sprintf("nodes.%d.id", i)) != id {
			s.t.Errorf("the acknowledged order %s is lost", id)
		}
	}
}
