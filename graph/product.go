package graph

import (
	"context"
	"fmt"
	"math"

	"github.com/99designs/gqlgen/graphql"

	"forge/ent"
	"forge/ent/product"
	"forge/graph/model"
	"forge/internal/apperr"
	"forge/internal/ids"
)

// createProduct stores a product, and its stock in a row of its own.
func createProduct(ctx context.Context, db *ent.Client, in model.CreateProductInput) (*ent.Product, error) {
	create := db.Product.Create()
	f := form{path: "input"}
	setProduct(&f, create.Mutation(), model.UpdateProductInput{
		Sku:        graphql.OmittableOf(&in.Sku),
		Name:       graphql.OmittableOf(&in.Name),
		PriceCents: graphql.OmittableOf(&in.PriceCents),
	})
	stock := f.atLeast("stock", in.Stock, 0)
	if f.fault != nil {
		return nil, f.fault
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

func updateProduct(ctx context.Context, db *ent.Client, t target, in model.UpdateProductInput) error {
	if err := wantPrefix("id", t.id, "product"); err != nil {
		return err
	}
	update := db.Product.Update().Where(t.is)
	f := form{path: "input"}
	setProduct(&f, update.Mutation(), in)
	if f.fault != nil {
		return f.fault
	}
	version := db.Product.Query().Where(product.ID(t.id.UUID)).Select(product.FieldVersion).Int
	return t.update(ctx, update.Mutation(), update.Save, version)
}

// setProduct checks the input and makes of it what is to be stored.
func setProduct(f *form, m *ent.ProductMutation, in model.UpdateProductInput) {
	if sku, ok := given(f, "sku", in.Sku); ok {
		m.SetSku(f.text("sku", sku, 64))
	}
	if name, ok := given(f, "name", in.Name); ok {
		m.SetName(f.text("name", name, 200))
	}
	if price, ok := given(f, "priceCents", in.PriceCents); ok {
		m.SetPriceCents(f.atLeast("priceCents", price, 0))
	}
}

// adjustStock adds delta to the stock of a product, unless it would leave its range.
func adjustStock(ctx context.Context, db *ent.Client, id ids.ID, delta int32) error {
	if err := wantPrefix("productId", id, "product"); err != nil {
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
