package schema

import (
	"entgo.io/contrib/entgql"
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"

	"forge/bench/stock/uuidgql"
)

// Product is something that can be ordered.
type Product struct{ ent.Schema }

// Annotations returns what entgql offers for the entity in the API.
func (Product) Annotations() []schema.Annotation {
	return []schema.Annotation{entgql.RelayConnection(), entgql.QueryField()}
}

// Mixin returns the mixins, which add the key, the times and the version.
func (Product) Mixin() []ent.Mixin { return []ent.Mixin{keyed{}, timed{}} }

// Fields returns the fields that no mixin adds.
func (Product) Fields() []ent.Field {
	return []ent.Field{
		field.String("sku").MaxRuneLen(64).Annotations(entgql.OrderField("SKU")),
		field.String("name").MaxRuneLen(200).Annotations(entgql.OrderField("NAME")),
		field.Int32("price_cents").Annotations(entgql.OrderField("PRICE_CENTS")),
	}
}

// Edges returns the relations to other entities.
func (Product) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("inventory", Inventory.Type).Unique(),
		edge.To("order_items", OrderItem.Type),
	}
}

// Inventory holds the stock of one product.
type Inventory struct{ ent.Schema }

// Mixin returns the mixin, which adds the key.
func (Inventory) Mixin() []ent.Mixin { return []ent.Mixin{keyed{}} }

// Fields returns the fields that no mixin adds.
func (Inventory) Fields() []ent.Field {
	return []ent.Field{
		field.Int32("quantity").Default(0),
		field.UUID("product_id", uuidgql.UUID{}).Immutable(),
	}
}

// Edges returns the relations to other entities.
func (Inventory) Edges() []ent.Edge {
	return []ent.Edge{edge.From("product", Product.Type).Ref("inventory").Field("product_id").Unique().Required().Immutable()}
}
