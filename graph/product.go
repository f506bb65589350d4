package graph

import (
	"context"
	"fmt"
	"math"

	"github.com/google/uuid"

	"forge/ent"
	"forge/ent/order"
	"forge/ent/orderitem"
	"forge/internal/apperr"
	"forge/internal/ids"
	"forge/internal/input"
	"forge/internal/viewer"
	"forge/internal/write"
)

// productWrites returns what is special of the standard mutations of products: a product's stock is
// stored in a row of its own.
func productWrites() write.Functions {
	return write.Functions{
		Fields: map[string]write.Check{
			"stock": func(f *input.Form, name string, v any) any { return f.AtLeast(name, int32(v.(int64)), 0) },
		},
		Before: func(_ context.Context, w *write.Write) error {
			if stock, given := w.Value("stock"); given && w.Op == write.Create {
				w.After(func(ctx context.Context) error {
					return ent.FromUnit(ctx).Inventory.Create().SetProductID(w.ID.UUID).SetQuantity(stock.(int32)).Exec(ctx)
				})
			}
			return nil
		},
	}
}

// adjustStock adds delta to the stock of a product. It returns an error if the stock would become
// negative or too large.
func adjustStock(ctx context.Context, db *ent.Client, id ids.ID, delta int32) error {
	if err := input.WantPrefix("productId", id, "product"); err != nil {
		return err
	}
	goods, err := lockStock(ctx, db, id.UUID)
	if err != nil {
		return err
	}
	there, ok := goods[id.UUID]
	if !ok {
		return apperr.NotFound(id)
	}
	switch sum := int64(there.Quantity) + int64(delta); {
	case sum < 0:
		return insufficientStock("delta", id, there.Quantity)
	case sum > math.MaxInt32:
		return apperr.BadInput("delta", "delta would take the stock from %d past %d", there.Quantity, math.MaxInt32)
	}
	return moveStock(ctx, db, []move{{id.UUID, int64(delta)}})
}

// unitsSold returns how many of each product were ordered, by everybody, without those of cancelled
// orders. It is the function of a dataloader.
func unitsSold(ctx context.Context, products []uuid.UUID) (map[uuid.UUID]int32, error) {
	ctx = viewer.NewContext(ctx, viewer.System) // the orders of others count as well, but nothing of them is shown
	var sums []struct {
		ProductID uuid.UUID `json:"product_id"`
		Sum       int64     `json:"sum"`
	}
	err := ent.FromUnit(ctx).OrderItem.Query().
		Where(orderitem.ProductIDIn(products...), orderitem.HasOrderWith(order.StatusNEQ(order.StatusCANCELLED))).
		GroupBy(orderitem.FieldProductID).Aggregate(ent.Sum(orderitem.FieldQuantity)).Scan(ctx, &sums)
	if err != nil {
		return nil, fmt.Errorf("count what was sold of %d products: %w", len(products), err)
	}
	sold := make(map[uuid.UUID]int32, len(sums))
	for _, of := range sums {
		sold[of.ProductID] = int32(min(of.Sum, math.MaxInt32))
	}
	return sold, nil
}
