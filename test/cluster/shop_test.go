package cluster

import (
	"context"
	"database/sql"
	"fmt"
	"os/exec"
	"sync"
	"sync/atomic"
	"time"

	"forge/internal/pgtemp"
	"forge/test/gqltest"
	"forge/test/process"

	_ "github.com/lib/pq"
)

// shop is a user who orders, each order under a key of its own, and products.
type shop struct {
	*system
	user     string
	products []string
	key      atomic.Int64

	mu     sync.Mutex
	placed map[string]string // the acknowledged orders, by key
	last   time.Time         // when an order was last acknowledged
	pause  time.Duration     // the longest time between two acknowledgements since measure
}

const (
	stock = 1_000_000 // of each product at first
	lines = 2         // of each order
)

// opened creates a shop.
func (s *system) opened() *shop {
	s.t.Helper()
	shop := &shop{system: s, placed: map[string]string{}}
	shop.user = s.Must(`mutation { createUser(input: {username: "buyer"}) { user { id } } }`, nil).Text("createUser.user.id")
	for i := range 5 {
		got := s.Must(`mutation($sku: String!, $stock: Int!) { createProduct(input: {sku: $sku, name: $sku, priceCents: 1, stock: $stock}) { product { id } } }`,
			vars{"sku": fmt.Sprint("P", i), "stock": stock})
		shop.products = append(shop.products, got.Text("createProduct.product.id"))
	}
	return shop
}

// signIn has all further requests be those of an administrator who has signed in. The servers must
// have AUTH=on.
func (s *system) signIn() {
	s.t.Helper()
	who := vars{"name": "keeper", "password": "correct horse battery"}
	s.Must(`mutation($name: String!, $password: String!) { signUp(input: {username: $name, password: $password}) { user { id } } }`, who)
	promote := exec.Command(process.Build(s.t), "user", "role", "--username=keeper", "--role=ADMIN")
	promote.Dir, promote.Env = s.t.TempDir(), []string{"DATABASE_URL=" + s.URL("postgres")}
	if out, err := promote.CombinedOutput(); err != nil {
		s.t.Fatalf("%v: %s", err, out)
	}
	got := s.Must(`mutation($name: String!, $password: String!) { signIn(input: {login: $name, password: $password}) { accessToken } }`, who)
	s.Client = s.With("Authorization", "Bearer "+got.Text("signIn.accessToken"))
}

func (s *shop) nextKey() string { return fmt.Sprint("order-", s.key.Add(1)) }

// order sends the order of a key, and notes it if it is acknowledged.
func (s *shop) order(ctx context.Context, key string) gqltest.Answer {
	items := make([]vars, lines)
	for i := range items {
		items[i] = vars{"productId": s.products[(len(key)+int(key[len(key)-1])+i)%len(s.products)], "quantity": 1}
	}
	got := s.With("Idempotency-Key", key).Send(ctx, `mutation createOrder($input: CreateOrderInput!) { createOrder(input: $input) { order { id } } }`,
		vars{"input": vars{"userId": s.user, "items": items}})
	if got.OK() {
		s.note(key, got.Text("createOrder.order.id"))
	}
	return got
}

func (s *shop) note(key, id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if before := s.placed[key]; before != "" && before != id {
		s.t.Errorf("key %s was acknowledged as %s, and then as %s", key, before, id)
	}
	s.placed[key] = id
	now := time.Now()
	s.pause, s.last = max(s.pause, now.Sub(s.last)), now
}

// measure begins to measure the longest pause between acknowledgements.
func (s *shop) measure() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pause, s.last = 0, time.Now()
}

// longestPause returns the longest pause since measure.
func (s *shop) longestPause() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return max(s.pause, time.Since(s.last)).Round(10 * time.Millisecond)
}

// awaitOrder returns how long it takes until an order is acknowledged.
func (s *shop) awaitOrder() time.Duration {
	s.t.Helper()
	begin := time.Now()
	gqltest.Eventually(s.t, "an order is acknowledged", func() error {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.last.Before(begin) {
			return fmt.Errorf("none since %s", s.last)
		}
		return nil
	})
	return time.Since(begin).Round(10 * time.Millisecond)
}

// load orders with a number of clients until stop is called. Whoever is not told that an order is
// stored sends it again under the same key, also after the call of stop, until it is. refused is
// called with each answer that is no success. stop returns when all orders are acknowledged.
func (s *shop) load(clients int, refused func(gqltest.Answer)) (stop func()) {
	s.t.Helper()
	ctx, cancel := context.WithCancel(background)
	var all sync.WaitGroup
	for range clients {
		all.Go(func() {
			for ctx.Err() == nil {
				s.insist(s.nextKey(), refused)
			}
		})
	}
	return sync.OnceFunc(func() {
		cancel()
		all.Wait()
	})
}

func (s *shop) insist(key string, refused func(gqltest.Answer)) {
	for end := time.Now().Add(2 * time.Minute); ; time.Sleep(50 * time.Millisecond) {
		got := s.order(background, key)
		if got.OK() {
			return
		}
		refused(got)
		if time.Now().After(end) {
			s.t.Errorf("%s is not acknowledged for two minutes: %s", key, got)
			return
		}
	}
}

// audit checks on a node that each acknowledged order is stored once, and that the stock adds up.
// Orders that were never acknowledged may be stored as well: unanswered is how many of them at
// most.
func (s *shop) audit(n *pgtemp.Node, unanswered int) {
	s.t.Helper()
	db, err := sql.Open("postgres", n.URL("postgres"))
	s.must(err)
	defer db.Close()
	const query = `SELECT (SELECT count(*) FROM orders), (SELECT sum(quantity) FROM order_items), (SELECT sum(quantity) FROM inventories),
		(SELECT count(*) FROM orders o WHERE $1 <> (SELECT count(*) FROM order_items i WHERE i.order_id = o.id)),
		(SELECT count(*) FROM inventories v WHERE $2 <> v.quantity + (SELECT coalesce(sum(i.quantity), 0) FROM order_items i WHERE i.product_id = v.product_id))`
	var orders, sold, left, halves, wrong int
	s.must(db.QueryRow(query, lines, stock).Scan(&orders, &sold, &left, &halves, &wrong))
	s.mu.Lock()
	defer s.mu.Unlock()
	s.t.Logf("%d orders acknowledged, %d stored", len(s.placed), orders)
	if orders < len(s.placed) || orders > len(s.placed)+unanswered {
		s.t.Errorf("%d orders are stored, %d were acknowledged, and %d may not have been", orders, len(s.placed), unanswered)
	}
	if halves != 0 || wrong != 0 || sold+left != stock*len(s.products) {
		s.t.Errorf("%d orders are not whole; the stock of %d products does not add up: %d sold, %d left", halves, wrong, sold, left)
	}
	seen := map[string]string{}
	for key, id := range s.placed {
		if other := seen[id]; other != "" {
			s.t.Errorf("%s and %s have the same order", key, other)
		}
		seen[id] = key
	}
	s.allStored()
}

// allStored reads all acknowledged orders through Forge.
func (s *shop) allStored() {
	s.t.Helper()
	ids := []string{}
	check := func() {
		got := s.Must(`query($ids: [ID!]!) { nodes(ids: $ids) { id } }`, vars{"ids": ids})
		for i, id := range ids {
			if got.Text(fmt.Sprintf("nodes.%d.id", i)) != id {
				s.t.Errorf("the acknowledged order %s is lost", id)
			}
		}
		ids = ids[:0]
	}
	for _, id := range s.placed {
		if ids = append(ids, id); len(ids) == 100 {
			check()
		}
	}
	check()
}
