package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
	"github.com/google/uuid"

	"forge/internal/entity"
	"forge/internal/rule"
)

// OrderItem is one line of an order.
type OrderItem struct{ ent.Schema }

// Annotations returns who may see which fields, and the checks of the table.
func (OrderItem) Annotations() []schema.Annotation {
	return []schema.Annotation{
		entity.Annotation{ShownToAll: []string{"id", "order", "product", "quantity", "unitPriceCents"}, LoggedFor: []string{"order"}},
		entsql.Checks(map[string]string{
			"order_items_quantity_positive":       "quantity >= 1",
			"order_items_unit_price_not_negative": "unit_price_cents >= 0",
		}),
	}
}

// Mixin returns the mixins, which add the key.
func (OrderItem) Mixin() []ent.Mixin {
	return []ent.Mixin{Identified{Prefix: "item"}}
}

// Fields returns the fields that no mixin adds.
func (OrderItem) Fields() []ent.Field {
	return []ent.Field{
		field.Int32("quantity").Immutable(),
		field.Int32("unit_price_cents").Immutable(),
		field.UUID("order_id", uuid.UUID{}).Immutable().SchemaType(blobOnSQLite),
		field.UUID("product_id", uuid.UUID{}).Immutable().SchemaType(blobOnSQLite),
	}
}

// Edges returns the relations to other entities.
func (OrderItem) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("order", Order.Type).Ref("items").Field("order_id").Unique().Required().Immutable(),
		edge.From("product", Product.Type).Ref("order_items").Field("product_id").Unique().Required().Immutable(),
	}
}

// Indexes returns the indexes of the table.
func (OrderItem) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("order_id", "id"),
		index.Fields("product_id"),
	}
}

// Policy says who may read and change lines of orders. The owner of a line is the owner of its
// order.
func (OrderItem) Policy() ent.Policy {
	return rule.Policy{
		Read: rule.Owners, Create: rule.Admins, Update: rule.Admins, Delete: rule.Admins,
		Owner: rule.Owner{Path: "order", Column: "user_id"},
	}
}
