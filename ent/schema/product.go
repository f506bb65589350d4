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

// These are the largest numbers of characters in the texts of a product.
const (
	ProductSkuLength  = 64
	ProductNameLength = 200
)

// Product is an article that users can order. Inventory holds its stock.
type Product struct{ ent.Schema }

// Annotations returns who may see which fields, and the checks of the table.
func (Product) Annotations() []schema.Annotation {
	return []schema.Annotation{
		entity.Annotation{
			ShownToAll: []string{"id", "sku", "name", "priceCents", "stock", "picture", "unitsSold", "version", "createdAt", "updatedAt"},
			Computed:   map[string]entity.Computed{"unitsSold": {Price: 2}},
			Search:     []string{"name", "sku"},
			Logged:     true,
		},
		entsql.Checks(map[string]string{
			"products_sku_length":         length("sku", 1, ProductSkuLength),
			"products_name_length":        length("name", 1, ProductNameLength),
			"products_price_not_negative": "price_cents >= 0",
		}),
	}
}

// Mixin returns the mixins, which add the key, the times, the version and the picture.
func (Product) Mixin() []ent.Mixin {
	return []ent.Mixin{Identified{Prefix: "product"}, Timed{}, Versioned{},
		OneFile{Name: "picture", Limits: entity.FileLimits{MaxBytes: 10 << 20, ContentTypes: entity.Pictures}}}
}

// Fields returns the fields that no mixin adds.
func (Product) Fields() []ent.Field {
	return []ent.Field{
		field.String("sku").MaxRuneLen(ProductSkuLength).Annotations(line),
		field.String("name").MaxRuneLen(ProductNameLength).Annotations(line),
		field.Int32("price_cents"),
	}
}

// Edges returns the relations to other entities.
func (Product) Edges() []ent.Edge {
	return []ent.Edge{
		// The field stock of a Product in the API is the quantity of its inventory.
		edge.To("inventory", Inventory.Type).Unique().
			Annotations(entsql.OnDelete(entsql.Cascade), entity.Annotation{Shows: map[string]string{"stock": "quantity"}}),
		edge.To("order_items", OrderItem.Type).Annotations(entsql.OnDelete(entsql.Restrict)),
	}
}

// Indexes returns the indexes of the table.
func (Product) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("sku").Unique(),
		index.Fields("name", "id"),
		index.Fields("price_cents", "id"),
		index.Fields("created_at", "id"),
		index.Fields("updated_at", "id"),
	}
}

// Policy says who may read and change products.
func (Product) Policy() ent.Policy {
	return rule.Policy{Read: rule.Everyone, Create: rule.Admins, Update: rule.Admins, Delete: rule.Admins}
}
