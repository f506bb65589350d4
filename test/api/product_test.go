package api_test

import (
	"strings"
	"testing"

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
