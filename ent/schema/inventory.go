package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"github.com/google/uuid"

	"forge/internal/rule"
)

// Inventory holds the stock of one product. It is a row of its own, so that an order does not lock
// the product.
type Inventory struct{ ent.Schema }

// Annotations of the Inventory.
func (Inventory) Annotations() []schema.Annotation {
	return []schema.Annotation{
		entsql.Checks(map[string]string{"inventories_quantity_not_negative": "quantity >= 0"}),
	}
}

// Mixin of the Inventory.
func (Inventory) Mixin() []ent.Mixin {
	return []ent.Mixin{Identified{Prefix: "inventory"}}
}

// Fields of the Inventory.
func (Inventory) Fields() []ent.Field {
	return []ent.Field{
		field.Int32("quantity").Default(0),
		field.UUID("product_id", uuid.UUID{}).Immutable().SchemaType(blobOnSQLite),
	}
}

// Edges of the Inventory. The unique edge gives product_id its unique index.
func (Inventory) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("product", Product.Type).Ref("inventory").Field("product_id").Unique().Required().Immutable(),
	}
}

// Policy of the Inventory. Orders take stock as viewer.System.
func (Inventory) Policy() ent.Policy {
	return rule.Policy{Read: rule.Everyone, Create: rule.Admins, Update: rule.Admins, Delete: rule.Admins}
}
