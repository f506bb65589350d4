package api_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/google/uuid"

	"forge/ent"
	"forge/internal/viewer"
	"forge/test/dbtest"
	"forge/test/gqltest"
)

// product creates a product and returns its ID.
func (a *api) product(sku string, price, stock int) string {
	a.t.Helper()
	input := vars{"sku": sku, "name": sku, "priceCents": price, "stock": stock}
	return a.mustCall("createProduct", vars{"input": input}).Text("createProduct.product.id")
}

// buyer creates a user and returns the ID.
func (a *api) buyer() string {
	a.t.Helper()
	return a.mustCall("createUser", vars{"input": vars{"username": "buyer"}}).Text("createUser.user.id")
}

// orderLine is a line of an order.
type orderLine struct {
	product  string
	quantity int
}

func orderOf(user string, lines ...orderLine) vars {
	items := make([]vars, len(lines))
	for i, l := range lines {
		items[i] = vars{"productId": l.product, "quantity": l.quantity}
	}
	return vars{"input": vars{"userId": user, "items": items}}
}

func TestCreateOrder(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) {
		a := newAPI(t, url)
		user, pie, hat, gift := a.buyer(), a.product("PIE", 120, 10), a.product("HAT", 999, 5), a.product("GIFT", 0, 1)
		lines := []orderLine{{hat, 2}, {pie, 3}, {gift, 1}, {hat, 1}}
		got := a.shows(t, "createOrder.order", orderOf(user, lines...), vars{"user.id": user, "status": "PENDING", "totalCents": float64(3*999 + 3*120), "version": 1.0})
		prices := map[string]int{pie: 120, hat: 999, gift: 0}
		if n := got.Len("createOrder.order.items"); n != len(lines) {
			t.Errorf("%d items, want %d", n, len(lines))
		}
		for i, l := range lines {
			item := fmt.Sprintf("createOrder.order.items.%d.", i)
			if got.Text(item+"product.id") != l.product || got.Number(item+"quantity") != l.quantity || got.Number(item+"unitPriceCents") != prices[l.product] {
				t.Errorf("item %d is %v, want %v", i, got.At(item[:len(item)-1]), l)
			}
		}
		for product, want := range map[string]int{pie: 7, hat: 2, gift: 0} {
			if is := a.stock(product); is != want {
				t.Errorf("%d of %s are left, want %d", is, product, want)
			}
		}
		// The order keeps its prices.
		a.mustCall("updateProduct", vars{"id": hat, "input": vars{"priceCents": 1}})
		found := a.Must(`query($id: ID!) { order(id: $id) { totalCents items { unitPriceCents } } }`, vars{"id": got.Text("createOrder.order.id")})
		if found.Number("order.totalCents") != 3*999+3*120 || found.Number("order.items.0.unitPriceCents") != 999 {
			t.Errorf("after the price changed: %s", found)
		}
	})
}

// TestCreateLongOrder checks that lines stay in the given order, and that an order of 100 lines
// takes as many statements as one of a single line.
func TestCreateLongOrder(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) {
		a := newAPI(t, url)
		user := a.buyer()
		products := make([]string, 50)
		for i := range products {
			products[i] = a.product(fmt.Sprint("P", i), i, 1000)
		}
		lines := make([]orderLine, 100)
		for i := range lines {
			lines[i] = orderLine{products[(i*37)%len(products)], i + 1}
		}
		one := a.mustCall("createOrder", orderOf(user, lines[0]))
		all := a.mustCall("createOrder", orderOf(user, lines...))
		if one.Statements() != all.Statements() {
			t.Errorf("%d statements for one line, %d for 100", one.Statements(), all.Statements())
		}
		found := a.Must(`query($id: ID!) { order(id: $id) { items { product { id } quantity } } }`, vars{"id": all.Text("createOrder.order.id")})
		for i, l := range lines {
			item := fmt.Sprintf("order.items.%d.", i)
			if found.Text(item+"product.id") != l.product || found.Number(item+"quantity") != l.quantity {
				t.Errorf("item %d is %v, want %v", i, found.At(item[:len(item)-1]), l)
			}
		}
	})
}

func TestCreateOrderRefused(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) {
		a := newAPI(t, url)
		const most = 1<<31 - 1
		user, pie, hat, dear := a.buyer(), a.product("PIE", 120, 3), a.product("HAT", 1, 2), a.product("DEAR", most, most)
		for _, tt := range []struct {
			name  string
			lines []orderLine
			code  string
			more  vars
		}{
			{"one too many", []orderLine{{pie, 4}}, "INSUFFICIENT_STOCK", vars{"productId": pie, "available": 3}},
			{"one too many on two lines", []orderLine{{pie, 2}, {hat, 1}, {pie, 2}}, "INSUFFICIENT_STOCK", vars{"productId": pie, "available": 3}},
			{"first of two that are lacking", []orderLine{{hat, 3}, {pie, 4}}, "INSUFFICIENT_STOCK", vars{"productId": hat, "available": 2, "errors": 2}},
			{"the other first", []orderLine{{pie, 4}, {hat, 3}}, "INSUFFICIENT_STOCK", vars{"productId": pie, "available": 3, "errors": 2}},
			{"second line lacking", []orderLine{{pie, 3}, {hat, 3}}, "INSUFFICIENT_STOCK", vars{"productId": hat, "available": 2}},
			{"unknown product", []orderLine{{pie, 1}, {noProduct, 1}}, "NOT_FOUND", vars{"id": noProduct, "field": "input.items.1.productId"}},
			{"total past 32 bits", []orderLine{{dear, 2}}, "BAD_USER_INPUT", vars{"field": "input.items"}},
			{"sum past 32 bits", []orderLine{{dear, 1}, {hat, 1}}, "BAD_USER_INPUT", vars{"field": "input.items"}},
			{"total past 62 bits", []orderLine{{dear, most}, {hat, 1}}, "BAD_USER_INPUT", vars{"field": "input.items"}},
		} {
			t.Run(tt.name, func(t *testing.T) {
				a.refused(t, "createOrder", orderOf(user, tt.lines...), tt.code, tt.more)
			})
		}
		// The most that an order can cost, and all that there is.
		got := a.mustCall("createOrder", orderOf(user, orderLine{dear, 1}))
		if total := got.Number("createOrder.order.totalCents"); total != most {
			t.Errorf("totalCents is %d, want %d", total, most)
		}
		a.mustCall("createOrder", orderOf(user, orderLine{pie, 3}, orderLine{hat, 2}))
	})
}

// TestOrdersNeverOversell has many clients order more than there is. They name the products in
// different orders, which would cause deadlocks if rows were locked in that order.
func TestOrdersNeverOversell(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) {
		a := newAPI(t, url)
		const clients, stock = 40, 15
		user, pie, hat, mug := a.buyer(), a.product("PIE", 1, stock), a.product("HAT", 1, stock), a.product("MUG", 1, stock)
		orders := [][]orderLine{
			{{pie, 1}, {hat, 1}, {mug, 1}},
			{{mug, 1}, {hat, 1}, {pie, 1}},
			{{hat, 1}, {pie, 1}, {mug, 1}},
		}
		sold := 0
		for _, got := range atOnce(clients, func(i int) gqltest.Answer { return a.call("createOrder", orderOf(user, orders[i%len(orders)]...)) }) {
			switch got.Code() {
			case "":
				sold++
			case "INSUFFICIENT_STOCK":
			default:
				t.Errorf("%s\nwant INSUFFICIENT_STOCK or success", got)
			}
			// A deadlock would show as a second attempt.
			if tx, _ := got.Extensions["tx"].(map[string]any); tx["attempts"] != 1.0 {
				t.Errorf("%v attempts, want 1", tx["attempts"])
			}
		}
		if sold != stock {
			t.Errorf("%d orders were taken, want %d", sold, stock)
		}
		found := a.Must(`{ orders { totalCount } products { nodes { sku stock } } }`, nil)
		for i := range 3 {
			if left := found.Number(fmt.Sprintf("products.nodes.%d.stock", i)); left != 0 {
				t.Errorf("%v is left, want 0", found.At(fmt.Sprintf("products.nodes.%d", i)))
			}
		}
		if n := found.Number("orders.totalCount"); n != sold {
			t.Errorf("%d orders are stored, want %d", n, sold)
		}
	})
}

func TestCancelOrder(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) {
		a := newAPI(t, url)
		user, pie, hat := a.buyer(), a.product("PIE", 120, 10), a.product("HAT", 999, 5)
		id := a.mustCall("createOrder", orderOf(user, orderLine{pie, 3}, orderLine{hat, 1}, orderLine{pie, 4})).Text("createOrder.order.id")
		a.shows(t, "cancelOrder.order", vars{"id": id}, vars{"id": id, "status": "CANCELLED", "version": 2.0, "totalCents": float64(7*120 + 999)})
		if pies, hats := a.stock(pie), a.stock(hat); pies != 10 || hats != 5 {
			t.Errorf("%d and %d are in stock again, want 10 and 5", pies, hats)
		}
		a.refused(t, "cancelOrder", vars{"id": id}, "CONFLICT", vars{"field": "id", "currentVersion": nil})
		a.refused(t, "cancelOrder", vars{"id": id, "expectedVersion": 2}, "CONFLICT", vars{"currentVersion": nil})
	})
}

func TestCancelOrderRefused(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) {
		a := newAPI(t, url)
		user, pie := a.buyer(), a.product("PIE", 1, 10)
		id := a.mustCall("createOrder", orderOf(user, orderLine{pie, 3})).Text("createOrder.order.id")

		// Nothing is taken back past what a stock can be.
		a.mustCall("adjustStock", vars{"productId": pie, "delta": 1<<31 - 1 - 7})
		a.refused(t, "cancelOrder", vars{"id": id}, "CONFLICT", nil)
		a.mustCall("adjustStock", vars{"productId": pie, "delta": -(1<<31 - 1)})

		a.mustCall("payOrder", vars{"id": id})
		got := a.refused(t, "cancelOrder", vars{"id": id}, "CONFLICT", nil)
		if want := id + " is PAID; only a pending order can be cancelled"; got.Errors[0].Message != want {
			t.Errorf("message %q, want %q", got.Errors[0].Message, want)
		}
	})
}

func TestPayOrder(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) {
		a := newAPI(t, url)
		user, pie := a.buyer(), a.product("PIE", 120, 10)
		id := a.mustCall("createOrder", orderOf(user, orderLine{pie, 3})).Text("createOrder.order.id")
		a.shows(t, "payOrder.order", vars{"id": id}, vars{"id": id, "status": "PAID", "version": 2.0, "totalCents": 360.0})
		if left := a.stock(pie); left != 7 {
			t.Errorf("%d are in stock, want 7", left)
		}
		cancelled := a.mustCall("createOrder", orderOf(user, orderLine{pie, 1})).Text("createOrder.order.id")
		a.mustCall("cancelOrder", vars{"id": cancelled})
		for id, status := range map[string]string{id: "PAID", cancelled: "CANCELLED"} {
			got := a.refused(t, "payOrder", vars{"id": id}, "CONFLICT", vars{"field": "id", "currentVersion": nil})
			if want := id + " is " + status + "; only a pending order can be paid"; got.Errors[0].Message != want {
				t.Errorf("message %q, want %q", got.Errors[0].Message, want)
			}
		}
	})
}

// TestOrderEndsOnce pays and cancels an order at once. It ends as one of the two.
func TestOrderEndsOnce(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) {
		a := newAPI(t, url)
		user, pie := a.buyer(), a.product("PIE", 1, 10)
		id := a.mustCall("createOrder", orderOf(user, orderLine{pie, 4})).Text("createOrder.order.id")
		var ended []string
		for _, got := range atOnce(8, func(i int) gqltest.Answer { return a.call([]string{"payOrder", "cancelOrder"}[i%2], vars{"id": id}) }) {
			switch got.Code() {
			case "":
				ended = append(ended, got.Text("payOrder.order.status")+got.Text("cancelOrder.order.status"))
			case "CONFLICT":
			default:
				t.Errorf("%s\nwant CONFLICT or success", got)
			}
		}
		if want := map[int]string{6: "PAID", 10: "CANCELLED"}[a.stock(pie)]; len(ended) != 1 || ended[0] != want {
			t.Errorf("with %d in stock, it ended as %v, want %q alone", a.stock(pie), ended, want)
		}
	})
}

// TestCreateOrderOfViewer places orders that do not say who buys.
func TestCreateOrderOfViewer(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) {
		a := newAPI(t, url)
		s := a.scene("")
		for _, who := range []string{"owner", "admin"} {
			for _, user := range []string{"", "userId: null, "} {
				got := s.sent(who, s.filled(`mutation { createOrder(input: {`+user+`items: [{productId: $product, quantity: 1}]}) { order { user { id } } } }`))
				if is := got.Text("createOrder.order.user.id"); is != s.id(who) {
					t.Errorf("%q as the %s: %s, want them to buy", user, who, got)
				}
			}
		}
		nowhere := viewer.Viewer{ID: uuid.New(), Role: viewer.User, Stranger: true}
		if got := a.as(nowhere).Do(s.filled(`mutation { createOrder(input: {items: [{productId: $product, quantity: 1}]}) { order { id } } }`), nil); got.Code() != "FORBIDDEN" {
			t.Errorf("as somebody without a row: %s, want FORBIDDEN", got)
		}
	})
}

// TestCancelOrderWithoutLines cancels an order without lines. Such an order cannot be placed by the
// API, but may exist.
func TestCancelOrderWithoutLines(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) {
		a := newAPI(t, url)
		var id string
		a.stored(func(ctx context.Context, db *ent.Client) {
			o, err := db.Order.Create().SetTotalCents(0).Save(ctx)
			if err != nil {
				t.Fatal(err)
			}
			id = o.GlobalID().String()
		})
		if got := a.call("cancelOrder", vars{"id": id}); got.Text("cancelOrder.order.status") != "CANCELLED" {
			t.Errorf("%s\nwant it cancelled", got)
		}
	})
}

func TestCancelOrderOnce(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) {
		a := newAPI(t, url)
		user, pie := a.buyer(), a.product("PIE", 1, 10)
		id := a.mustCall("createOrder", orderOf(user, orderLine{pie, 4})).Text("createOrder.order.id")
		cancelled := 0
		for _, got := range atOnce(8, func(int) gqltest.Answer { return a.call("cancelOrder", vars{"id": id}) }) {
			switch got.Code() {
			case "":
				cancelled++
			case "CONFLICT":
			default:
				t.Errorf("%s\nwant CONFLICT or success", got)
			}
		}
		if left := a.stock(pie); cancelled != 1 || left != 10 {
			t.Errorf("cancelled %d times, %d in stock; want once, and 10", cancelled, left)
		}
	})
}

// TestOrdersAndCancellationsAddUp places and cancels orders at once. The stock and the quantities
// in pending orders always add up to the same number.
func TestOrdersAndCancellationsAddUp(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) {
		a := newAPI(t, url)
		const stock = 12
		user, pie, hat := a.buyer(), a.product("PIE", 1, stock), a.product("HAT", 1, stock)
		atOnce(24, func(i int) gqltest.Answer {
			lines := []orderLine{{pie, 2}, {hat, 1}}
			if i%2 == 1 {
				lines = []orderLine{{hat, 1}, {pie, 2}}
			}
			got := a.call("createOrder", orderOf(user, lines...))
			if got.Code() == "" && i%3 > 0 {
				got = a.call("cancelOrder", vars{"id": got.Text("createOrder.order.id")})
			}
			if code := got.Code(); code != "" && code != "INSUFFICIENT_STOCK" {
				t.Errorf("%s\nwant INSUFFICIENT_STOCK or success", got)
			}
			return got
		})
		pending := a.Must(`{ orders(where: { status: PENDING }) { totalCount } }`, nil).Number("orders.totalCount")
		if pies, hats := a.stock(pie)+2*pending, a.stock(hat)+pending; pies != stock || hats != stock {
			t.Errorf("with %d pending orders there are %d and %d in all, want %d", pending, pies, hats, stock)
		}
	})
}
