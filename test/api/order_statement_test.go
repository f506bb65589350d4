package api_test

import (
	"context"
	"reflect"
	"testing"

	"forge/ent"
	"forge/ent/order"
	"forge/ent/orderitem"
	"forge/test/dbtest"
)

// TestOrderInOneStatement compares the stored columns of an order on both databases. On PostgreSQL
// an order is placed by one hand-written statement, and on SQLite step by step by ent. The defaults
// must be the same.
func TestOrderInOneStatement(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) {
		a := newAPI(t, url)
		user, pie, hat := a.buyer(), a.product("PIE", 3, 10), a.product("HAT", 5, 10)
		a.mustCall("createOrder", orderOf(user, orderLine{hat, 1}, orderLine{pie, 2}, orderLine{hat, 3}))
		a.stored(func(ctx context.Context, c *ent.Client) {
			o := c.Order.Query().OnlyX(ctx)
			if o.CreatedAt.IsZero() || !o.UpdatedAt.Equal(o.CreatedAt) || o.UserID == nil {
				t.Errorf("the order is %v", o)
			}
			got := []any{o.Status, o.TotalCents, o.Version}
			if want := []any{order.StatusPENDING, int32(26), 1}; !reflect.DeepEqual(got, want) {
				t.Errorf("status, total and version are %v, want %v", got, want)
			}
			var lines [][]any
			for _, item := range c.OrderItem.Query().WithProduct().Order(orderitem.ByID()).AllX(ctx) {
				lines = append(lines, []any{item.OrderID == o.ID, item.Edges.Product.Sku, item.Quantity, item.UnitPriceCents})
			}
			if want := [][]any{{true, "HAT", int32(1), int32(5)}, {true, "PIE", int32(2), int32(3)}, {true, "HAT", int32(3), int32(5)}}; !reflect.DeepEqual(lines, want) {
				t.Errorf("the lines are %v, want %v", lines, want)
			}
		})
		if pies, hats := a.stock(pie), a.stock(hat); pies != 8 || hats != 6 {
			t.Errorf("%d pies and %d hats are left, want 8 and 6", pies, hats)
		}
	})
}
