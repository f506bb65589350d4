package api_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"forge/ent"
	"forge/ent/schema"
	"forge/test/dbtest"
	"forge/test/gqltest"
)

// stock returns the stock of a product.
func (a *api) stock(id string) int {
	a.t.Helper()
	return a.Must(`query($id: ID!) { product(id: $id) { stock } }`, vars{"id": id}).Number("product.stock")
}

func TestCreateProduct(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) {
		a := newAPI(t, url)
		for _, tt := range []struct {
			name  string
			input vars
			want  vars
		}{
			{"without stock", vars{"sku": "PIE", "name": "Pie", "priceCents": 120},
				vars{"sku": "PIE", "name": "Pie", "priceCents": 120.0, "stock": 0.0, "version": 1.0}},
			{"with stock", vars{"sku": " HAT ", "name": "\u00a0Hat ", "priceCents": 0, "stock": 7},
				vars{"sku": "HAT", "name": "Hat", "priceCents": 0.0, "stock": 7.0}},
			{"as much as can be", vars{"sku": strings.Repeat("Ж", schema.ProductSkuLength), "name": strings.Repeat("Ж", schema.ProductNameLength), "priceCents": 1<<31 - 1, "stock": 1<<31 - 1},
				vars{"sku": strings.Repeat("Ж", schema.ProductSkuLength), "priceCents": float64(1<<31 - 1), "stock": float64(1<<31 - 1)}},
		} {
			t.Run(tt.name, func(t *testing.T) {
				a.shows(t, "createProduct.product", vars{"input": tt.input}, tt.want)
			})
		}
	})
}

func TestUpdateProduct(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) {
		a := newAPI(t, url)
		m := a.make()
		for _, tt := range []struct {
			input vars
			want  vars
		}{
			{vars{"sku": " BOOTS-9 "}, vars{"sku": "BOOTS-9", "name": "Boots", "priceCents": 5000.0, "stock": 9.0, "version": 2.0}},
			{vars{"name": "Cheap boots"}, vars{"sku": "BOOTS-9", "name": "Cheap boots", "priceCents": 5000.0, "stock": 9.0, "version": 3.0}},
			{vars{"priceCents": 0}, vars{"sku": "BOOTS-9", "name": "Cheap boots", "priceCents": 0.0, "stock": 9.0, "version": 4.0}},
		} {
			a.shows(t, "updateProduct.product", vars{"id": m.product, "input": tt.input}, tt.want)
		}
	})
}

func TestDeleteProduct(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) {
		a := newAPI(t, url)
		user, sold, unsold := a.buyer(), a.product("SOLD", 1, 5), a.product("UNSOLD", 1, 5)
		order := a.mustCall("createOrder", orderOf(user, orderLine{sold, 1})).Text("createOrder.order.id")
		for range 2 {
			got := a.refused(t, "deleteProduct", vars{"id": sold}, "CONFLICT", vars{"field": "id"})
			if want := sold + " cannot be removed while a row of the type OrderItem refers to it"; got.Errors[0].Message != want {
				t.Errorf("message %q, want %q", got.Errors[0].Message, want)
			}
			a.call("cancelOrder", vars{"id": order}) // which still says what was ordered
		}
		if got := a.mustCall("deleteProduct", vars{"id": unsold}); got.Text("deleteProduct.deletedId") != unsold {
			t.Errorf("%s, want the ID %s", got, unsold)
		}
		a.refused(t, "createOrder", orderOf(user, orderLine{unsold, 1}), "NOT_FOUND", vars{"id": unsold})
		a.refused(t, "adjustStock", vars{"productId": unsold, "delta": 1}, "NOT_FOUND", vars{"id": unsold})
		a.stored(func(ctx context.Context, c *ent.Client) {
			if n := c.Inventory.Query().CountX(ctx); n != 1 {
				t.Errorf("there are %d rows of stock, want that of the other product alone", n)
			}
		})
		a.product("UNSOLD", 1, 1) // the SKU is free
	})
}

// TestDeleteProductAtOnce deletes products while they are ordered.
func TestDeleteProductAtOnce(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) {
		a := newAPI(t, url)
		user := a.buyer()
		for i := range 8 {
			product := a.product(fmt.Sprint("P", i), 1, 5)
			got := atOnce(2, func(n int) gqltest.Answer {
				if n == i%2 {
					return a.call("deleteProduct", vars{"id": product})
				}
				return a.call("createOrder", orderOf(user, orderLine{product, 1}))
			})
			deleted, ordered := got[i%2].Code(), got[1-i%2].Code()
			if outcome := deleted + "/" + ordered; outcome != "/NOT_FOUND" && outcome != "CONFLICT/" {
				t.Errorf("deleteProduct: %s\ncreateOrder: %s\nwant NOT_FOUND or CONFLICT of one of them", got[i%2], got[1-i%2])
			}
		}
	})
}

func TestAdjustStock(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) {
		a := newAPI(t, url)
		const most = 1<<31 - 1
		id := a.mustCall("createProduct", vars{"input": vars{"sku": "PIE", "name": "Pie", "priceCents": 1, "stock": 10}}).Text("createProduct.product.id")
		for _, step := range []struct{ delta, want int }{
			{5, 15}, {-5, 10}, {0, 10}, {-10, 0}, {0, 0}, {most, most}, {0, most}, {-most, 0}, {3, 3},
		} {
			got := a.call("adjustStock", vars{"productId": id, "delta": step.delta})
			if is := got.Number("adjustStock.product.stock"); is != step.want || got.Number("adjustStock.product.version") != 1 {
				t.Errorf("adjustStock(%d): %s\nwant stock %d, and version 1", step.delta, got, step.want)
			}
		}
		for _, delta := range []int{-4, -most, -most - 1} {
			a.refused(t, "adjustStock", vars{"productId": id, "delta": delta}, "INSUFFICIENT_STOCK", vars{"productId": id, "available": 3})
		}
	})
}

func TestAdjustStockAtOnce(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) {
		a := newAPI(t, url)
		id := a.mustCall("createProduct", vars{"input": vars{"sku": "PIE", "name": "Pie", "priceCents": 1, "stock": 8}}).Text("createProduct.product.id")
		taken := 0
		for _, got := range atOnce(20, func(int) gqltest.Answer { return a.call("adjustStock", vars{"productId": id, "delta": -1}) }) {
			switch got.Code() {
			case "":
				taken++
			case "INSUFFICIENT_STOCK":
			default:
				t.Errorf("%s\nwant INSUFFICIENT_STOCK or success", got)
			}
		}
		if left := a.stock(id); taken != 8 || left != 0 {
			t.Errorf("of 8, %d were taken and %d are left; want all taken", taken, left)
		}
	})
}
