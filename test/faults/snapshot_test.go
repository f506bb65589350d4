package faults

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"

	"forge/test/dbtest"
)

// everyStock reads the stock of all products in several ways: one by one, in a list, and nested.
// Each way needs different statements.
const everyStock = `query everyStock($id: ID!, $p0: ID!, $p1: ID!, $p2: ID!, $p3: ID!) {
	p0: product(id: $p0) { stock } p1: product(id: $p1) { stock } p2: product(id: $p2) { stock } p3: product(id: $p3) { stock }
	flat: products(first: 100) { nodes { stock } }
	below: order(id: $id) { items { product { stock } } }
	deep: orders(first: 1) { nodes { user { orders(first: 1) { nodes { items { product { stock } } } } } } }
}`

// TestSnapshot moves stock between products all the time. However a query reads them, it always
// sees the same total.
func TestSnapshot(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, url string) {
		f := start(t, url)
		const products, stock = 4, 1000
		s := f.opened(products, stock)
		items := make([]vars, products)
		for i := range items {
			items[i] = vars{"productId": s.products[i], "quantity": 1}
		}
		order := f.Must(createOrder, vars{"input": vars{"userId": s.user, "items": items}}).Text("createOrder.order.id")
		var moved, different atomic.Int64
		stop := keep(2, func(_ context.Context, i int) {
			from, to := s.products[int(moved.Load())%products], s.products[(int(moved.Load())+i+1)%products]
			got := f.Send(background, `mutation move($from: ID!, $to: ID!) { a: adjustStock(productId: $from, delta: -1) { product { id } } b: adjustStock(productId: $to, delta: 1) { product { id } } }`,
				vars{"from": from, "to": to})
			if !got.OK() && got.Code() != "INSUFFICIENT_STOCK" {
				t.Error(got)
			}
			moved.Add(1)
		})
		defer stop()
		read := vars{"id": order}
		for i, id := range s.products {
			read[fmt.Sprint("p", i)] = id
		}
		reads := sized(400, 10000)
		want := products * (stock - 1)
		var last atomic.Int64
		atOnce(4, reads, func(int) {
			got := f.Send(background, everyStock, read)
			if !got.OK() {
				t.Error(got)
				return
			}
			first := got.Number("flat.nodes.0.stock")
			if last.Swap(int64(first)) != int64(first) {
				different.Add(1)
			}
			for _, path := range []string{"p%d.stock", "flat.nodes.%d.stock", "below.items.%d.product.stock", "deep.nodes.0.user.orders.nodes.0.items.%d.product.stock"} {
				sum := 0
				for i := range products {
					n := got.Number(fmt.Sprintf(path, i))
					sum += n
					if there := got.Number(fmt.Sprintf("p%d.stock", i)); n != there {
						t.Errorf("%s: product %d has %d in one place and %d in another: %s", path, i, n, there, got)
					}
				}
				if sum != want {
					t.Errorf("%s: %d in all, want %d: %s", path, sum, want, got)
				}
			}
		})
		stop()
		if different.Load() < int64(reads)/100 {
			t.Errorf("the stock was another in only %d of %d reads: nothing moved", different.Load(), reads)
		}
		t.Logf("%d reads of %d in all, while %d moves were made", reads, want, moved.Load())
	})
}
