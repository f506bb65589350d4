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

// Inventory holds the stock of one product. It is a separate row, so that an order does not lock
// the product.
type Inventory struct{ ent.Schema }

// Annotations returns the checks of the table.
func (Inventory) Annotations() []schema.Annotation {
	return []schema.Annotation{
		entity.Annotation{LoggedFor: []string{"product"}}, // whose field stock it is
		entsql.Checks(map[string]string{"inventories_quantity_not_negative": "quantity >= 0"}),
	}
}

// Mixin returns the mixins, which add the key.
func (Inventory) Mixin() []ent.Mixin {
	return []ent.Mixin{Identified{Prefix: "inventory"}}
}

// Fields returns the fields that no mixin adds.
func (Inventory) Fields() []ent.Field {
	return []ent.Field{
		field.Int32("quantity").Default(0),
		field.UUID("product_id", uuid.UUID{}).Immutable().SchemaType(blobOnSQLite),
	}
}

// Edges returns the relations to other entities. The edge is unique, so product_id has a unique
// index.
func (Inventory) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("product", Product.Type).Ref("inventory").Field("product_id").Unique().Required().Immutable(),
	}
}

// Indexes returns the indexes of the table.
func (Inventory) Indexes() []ent.Index {
	return []ent.Index{index.Fields("quantity", "product_id")}
}

// Policy says who may read and change stock. Orders change stock with the rights of viewer.System.
func (Inventory) Policy() ent.Policy {
	return rule.Policy{Read: rule.Everyone, Create: rule.Admins, Update: rule.Admins, Delete: rule.Admins}
}
