package api_test

import (
	"net"
	"strings"
	"sync/atomic"
	"testing"

	"forge/internal/viewer"
	"forge/test/dbtest"
)

// turns counts how often clients wait for an answer: how often something is sent after the server
// has said something.
type turns struct{ n atomic.Int64 }

func (c *turns) serve(client, server net.Conn) {
	var heard atomic.Bool
	heard.Store(true)
	go pass(server, client, func() {
		if heard.Swap(false) {
			c.n.Add(1)
		}
	})
	go pass(client, server, func() { heard.Store(true) })
}

// pass copies what is sent from one end to the other, and calls seen for each part.
func pass(to, from net.Conn, seen func()) {
	defer to.Close()
	defer from.Close()
	buffer := make([]byte, 64<<10)
	for {
		n, err := from.Read(buffer)
		if n > 0 {
			seen()
		}
		if _, failed := to.Write(buffer[:n]); err != nil || failed != nil {
			return
		}
	}
}

// take returns how often clients have waited since the last call.
func (c *turns) take() int64 { return c.n.Swap(0) }

// TestRoundTripsUnderAKey counts how often a mutation with an Idempotency-Key waits for PostgreSQL.
// Whatever the key and the mutation, the answers are those of statements that are sent one by one.
func TestRoundTripsUnderAKey(t *testing.T) {
	t.Parallel()
	ways := map[string]func(t *testing.T) string{
		"directly":          func(t *testing.T) string { return dbtest.Postgres(t) },
		"through PgBouncer": func(t *testing.T) string { return dbtest.PgBouncer(t, dbtest.Postgres(t)) },
	}
	for name, address := range ways {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			count := new(turns)
			a := newBareAPI(t, dbtest.Through(t, address(t), count.serve))
			a.self = viewer.System
			a.configure(usual())
			a.db.SetMaxOpenConns(1)
			order := a.placed(t)
			want := func(what string, want int64) {
				t.Helper()
				if n := count.take(); n != want {
					t.Errorf("%s took %d round trips, want %d", what, n, want)
				}
			}
			first := a.under("1", placeOrder, order) // its statements are prepared
			count.take()
			if got := a.under("2", placeOrder, order); got == first || !strings.Contains(got, `"totalCents":1`) {
				t.Errorf("another order: %s", got)
			}
			want("an order under a new key", 2)
			if got := a.under("1", placeOrder, order); got != first {
				t.Errorf("the repeat: %s\nwant %s", got, first)
			}
			count.take()
			if got := a.under("1", `mutation { __typename }`, nil); !strings.Contains(got, "IDEMPOTENCY_CONFLICT") {
				t.Errorf("another request under the key: %s", got)
			}
			count.take()
			if got := a.under("3", `mutation { __typename }`, nil); !strings.Contains(got, `"Mutation"`) {
				t.Errorf("a mutation without a statement: %s", got)
			}
			want("a mutation without a statement", 2)
			two := `mutation($o: CreateOrderInput!) { a: createOrder(input: $o) { order { id } } b: createOrder(input: $o) { order { id } } }`
			if got := a.under("4", two, vars{"o": order["input"]}); strings.Contains(got, "errors") {
				t.Errorf("two orders: %s", got)
			}
			if n := a.Must(`{ orders { totalCount } }`, nil).Number("orders.totalCount"); n != 4 {
				t.Errorf("%d orders are stored, want 4", n)
			}
		})
	}
}

const placeOrder = `mutation($input: CreateOrderInput!) { createOrder(input: $input) { order { id totalCents } } }`

// placed makes a user and a product, and returns the variables of an order.
func (a *api) placed(t *testing.T) vars {
	t.Helper()
	user := a.Must(`mutation { createUser(input: {username: "buyer"}) { user { id } } }`, nil).Text("createUser.user.id")
	product := a.Must(`mutation { createProduct(input: {sku: "P", name: "P", priceCents: 1, stock: 100}) { product { id } } }`, nil).Text("createProduct.product.id")
	return vars{"input": vars{"userId": user, "items": []vars{{"productId": product, "quantity": 1}}}}
}
