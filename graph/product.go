package graph

import (
	"context"
	"fmt"
	"math"

	"github.com/99designs/gqlgen/graphql"
	"github.com/google/uuid"

	"forge/ent"
	"forge/ent/order"
	"forge/ent/orderitem"
	"forge/ent/product"
	"forge/ent/schema"
	"forge/graph/model"
	"forge/internal/apperr"
	"forge/internal/ids"
	"forge/internal/input"
	"forge/internal/viewer"
)

// createProduct stores a product, and its stock in a separate row.
func createProduct(ctx context.Context, db *ent.Client, in model.CreateProductInput) (*ent.Product, error) {
	create := db.Product.Create()
	f := input.Form{Path: "input"}
	setProduct(&f, create.Mutation(), model.UpdateProductInput{
		Sku:        graphql.OmittableOf(&in.Sku),
		Name:       graphql.OmittableOf(&in.Name),
		PriceCents: graphql.OmittableOf(&in.PriceCents),
	})
	stock := f.AtLeast("stock", in.Stock, 0)
	if f.Err() != nil {
		return nil, f.Err()
	}
	p, err := create.Save(ctx)
	if err != nil {
		return nil, fmt.Errorf("create a product: %w", err)
	}
	if err := db.Inventory.Create().SetProductID(p.ID).SetQuantity(stock).Exec(ctx); err != nil {
		return nil, fmt.Errorf("create the stock of %s: %w", p.GlobalID(), err)
	}
	return p, nil
}

func updateProduct(ctx context.Context, db *ent.Client, t input.Target, in model.UpdateProductInput) error {
	if err := input.WantPrefix("id", t.ID, "product"); err != nil {
		return err
	}
	update := db.Product.Update().Where(t.Is)
	f := input.Form{Path: "input"}
	setProduct(&f, update.Mutation(), in)
	if f.Err() != nil {
		return f.Err()
	}
	version := db.Product.Query().Where(product.ID(t.ID.UUID)).Select(product.FieldVersion).Ints
	return t.Update(ctx, update.Mutation(), update.Save, version)
}

// setProduct checks the input, and sets the fields of the mutation.
func setProduct(f *input.Form, m *ent.ProductMutation, in model.UpdateProductInput) {
	if sku, ok := input.Value(f, "sku", in.Sku); ok {
		m.SetSku(f.Text("sku", sku, schema.ProductSkuLength))
	}
	if name, ok := input.Value(f, "name", in.Name); ok {
		m.SetName(f.Text("name", name, schema.ProductNameLength))
	}
	if price, ok := input.Value(f, "priceCents", in.PriceCents); ok {
		m.SetPriceCents(f.AtLeast("priceCents", price, 0))
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
		return insufficientStock(id, there.Quantity)
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
