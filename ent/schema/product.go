package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"

	"forge/internal/entity"
	"forge/internal/rule"
)

// The greatest lengths of a product's texts, in characters.
const (
	ProductSkuLength  = 64
	ProductNameLength = 200
)

// Product is an article that users can order. Inventory holds its stock.
type Product struct{ ent.Schema }

// Annotations of the Product.
func (Product) Annotations() []schema.Annotation {
	return []schema.Annotation{
		entity.Annotation{ShownToAll: []string{"id", "sku", "name", "priceCents", "stock", "version", "createdAt", "updatedAt"}},
		entsql.Checks(map[string]string{
			"products_sku_length":         length("sku", 1, ProductSkuLength),
			"products_name_length":        length("name", 1, ProductNameLength),
			"products_price_not_negative": "price_cents >= 0",
		}),
	}
}

// Mixin of the Product.
func (Product) Mixin() []ent.Mixin {
	return []ent.Mixin{Identified{Prefix: "product"}, Timed{}, Versioned{}}
}

// Fields of the Product.
func (Product) Fields() []ent.Field {
	return []ent.Field{
		field.String("sku").MaxRuneLen(ProductSkuLength),
		field.String("name").MaxRuneLen(ProductNameLength),
		field.Int32("price_cents"),
	}
}

// Edges of the Product.
func (Product) Edges() []ent.Edge {
	return []ent.Edge{
		// Product.stock in the API is the quantity of this one row.
		edge.To("inventory", Inventory.Type).Unique().
			Annotations(entsql.OnDelete(entsql.Cascade), entity.Annotation{Shows: map[string]string{"stock": "quantity"}}),
		edge.To("order_items", OrderItem.Type).Annotations(entsql.OnDelete(entsql.Restrict)),
	}
}

// Indexes of the Product.
func (Product) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("sku").Unique(),
		index.Fields("name", "id"),
		index.Fields("price_cents", "id"),
		index.Fields("created_at", "id"),
	}
}

// Policy of the Product.
func (Product) Policy() ent.Policy {
	return rule.Policy{Read: rule.Everyone, Create: rule.Admins, Update: rule.Admins, Delete: rule.Admins}
}
