package schema

import (
	"entgo.io/contrib/entgql"
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"

	"forge/bench/stock/uuidgql"
)

// Order is a purchase of a user.
type Order struct{ ent.Schema }

// Annotations returns what entgql offers for the entity in the API.
func (Order) Annotations() []schema.Annotation {
	return []schema.Annotation{entgql.RelayConnection(), entgql.QueryField()}
}

// Mixin returns the mixins, which add the key, the times and the version.
func (Order) Mixin() []ent.Mixin { return []ent.Mixin{keyed{}, timed{}} }

// Fields returns the fields that no mixin adds.
func (Order) Fields() []ent.Field {
	return []ent.Field{
		field.Enum("status").Values("PENDING", "PAID", "CANCELLED").Default("PENDING"),
		field.Int32("total_cents").Annotations(entgql.OrderField("TOTAL_CENTS")),
		field.UUID("user_id", uuidgql.UUID{}).Optional().Nillable(),
	}
}

// Edges returns the relations to other entities.
func (Order) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("user", User.Type).Ref("orders").Field("user_id").Unique(),
		edge.To("items", OrderItem.Type),
	}
}

// OrderItem is one line of an order.
type OrderItem struct{ ent.Schema }

// Mixin returns the mixin, which adds the key.
func (OrderItem) Mixin() []ent.Mixin { return []ent.Mixin{keyed{}} }

// Fields returns the fields that no mixin adds.
func (OrderItem) Fields() []ent.Field {
	return []ent.Field{
		field.Int32("quantity").Immutable(),
		field.Int32("unit_price_cents").Immutable(),
		field.UUID("order_id", uuidgql.UUID{}).Immutable(),
		field.UUID("product_id", uuidgql.UUID{}).Immutable(),
	}
}

// Edges returns the relations to other entities.
func (OrderItem) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("order", Order.Type).Ref("items").Field("order_id").Unique().Required().Immutable(),
		edge.From("product", Product.Type).Ref("order_items").Field("product_id").Unique().Required().Immutable(),
	}
}
