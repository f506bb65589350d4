package faults

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"forge/internal/database"
	"forge/test/gqltest"
)

// shop is a user who orders, and products that all have the same stock at first.
type shop struct {
	user     string
	products []string
	stock    int // of each product at the beginning
}

// opened creates a shop.
func (f *forge) opened(products, stock int) *shop {
	f.t.Helper()
	s := &shop{stock: stock}
	s.user = f.Must(`mutation { createUser(input: {username: "buyer"}) { user { id } } }`, nil).Text("createUser.user.id")
	for i := range products {
		got := f.Must(`mutation($sku: String!, $stock: Int!) { createProduct(input: {sku: $sku, name: $sku, priceCents: 1, stock: $stock}) { product { id } } }`,
			vars{"sku": fmt.Sprint("P", i), "stock": stock})
		s.products = append(s.products, got.Text("createProduct.product.id"))
	}
	return s
}

const createOrder = `mutation createOrder($input: CreateOrderInput!) { createOrder(input: $input) { order { id totalCents items { quantity } } } }`

// lines is the number of items of an order.
const lines = 3

// anyOrder returns the variables for an order of one piece each of some products, in random order.
func (s *shop) anyOrder() vars {
	items := make([]vars, lines)
	for i, p := range rand.Perm(len(s.products))[:lines] {
		items[i] = vars{"productId": s.products[p], "quantity": 1}
	}
	return vars{"input": vars{"userId": s.user, "items": items}}
}

// order places an order.
func (f *forge) order(ctx context.Context, s *shop) gqltest.Answer {
	return f.Send(ctx, createOrder, s.anyOrder())
}

// placed collects the IDs of orders that were acknowledged.
type placed struct {
	mu  sync.Mutex
	ids []string
}

func (p *placed) add(got gqltest.Answer) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ids = append(p.ids, got.Text("createOrder.order.id"))
}

// allStored checks that every acknowledged order can be read, with all of its items.
func (f *forge) allStored(p *placed) {
	f.t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	for start := 0; start < len(p.ids); start += 100 {
		some := p.ids[start:min(start+100, len(p.ids))]
		got := f.Must(`query($ids: [ID!]!) { nodes(ids: $ids) { id ... on Order { items { id } } } }`, vars{"ids": some})
		for i, id := range some {
			items, _ := got.At(fmt.Sprintf("nodes.%d.items", i)).([]any)
			if got.Text(fmt.Sprintf("nodes.%d.id", i)) != id || len(items) != lines {
				f.t.Errorf("the acknowledged order %s: %v", id, got.At(fmt.Sprint("nodes.", i)))
			}
		}
	}
}

// books holds what the database has about a shop.
type books struct{ orders, sold, left, halves, short, wrong int }

// audit reads the database directly, and checks that stock and orders add up.
func (s *shop) audit(t *testing.T, address string) books {
	t.Helper()
	db, err := database.Open(address, database.Options{PoolSize: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	const statement = `SELECT
		(SELECT count(*) FROM orders),
		(SELECT coalesce(sum(quantity), 0) FROM order_items),
		(SELECT sum(quantity) FROM inventories),
		(SELECT count(*) FROM orders o WHERE LINES <> (SELECT count(*) FROM order_items i WHERE i.order_id = o.id)
			OR o.total_cents <> (SELECT coalesce(sum(i.quantity * i.unit_price_cents), 0) FROM order_items i WHERE i.order_id = o.id)),
		(SELECT count(*) FROM inventories WHERE quantity < 0),
		(SELECT count(*) FROM inventories v WHERE STOCK <> v.quantity + (SELECT coalesce(sum(i.quantity), 0) FROM order_items i WHERE i.product_id = v.product_id))`
	var b books
	err = db.QueryRowContext(background, strings.NewReplacer("LINES", fmt.Sprint(lines), "STOCK", fmt.Sprint(s.stock)).Replace(statement)).
		Scan(&b.orders, &b.sold, &b.left, &b.halves, &b.short, &b.wrong)
	if err != nil {
		t.Fatal(err)
	}
	if b.halves != 0 || b.short != 0 || b.wrong != 0 || b.sold+b.left != s.stock*len(s.products) {
		t.Errorf("of %d orders %d are not whole; the stock of %d products is below 0, that of %d does not add up; %d sold and %d left, want %d in all",
			b.orders, b.halves, b.short, b.wrong, b.sold, b.left, s.stock*len(s.products))
	}
	return b
}
