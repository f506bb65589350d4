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

// Order is a purchase by a user, at the prices of the time of the order.
type Order struct{ ent.Schema }

// Annotations returns who may see which fields, and the checks of the table.
func (Order) Annotations() []schema.Annotation {
	return []schema.Annotation{
		entity.Annotation{ShownToAll: []string{"id", "user", "status", "totalCents", "items", "version", "createdAt", "updatedAt"}, Logged: true,
			OwnerErased: entity.Keep}, // the books need it, and its user says nothing any more
		entsql.Checks(map[string]string{
			"orders_total_not_negative": "total_cents >= 0",
			"orders_status_known":       "status IN ('PENDING', 'PAID', 'CANCELLED')",
		}),
	}
}

// Mixin returns the mixins, which add the key, the times and the version.
func (Order) Mixin() []ent.Mixin {
	return []ent.Mixin{Identified{Prefix: "order"}, Timed{}, Versioned{}}
}

// Fields returns the fields that no mixin adds.
func (Order) Fields() []ent.Field {
	return []ent.Field{
		field.Enum("status").Values("PENDING", "PAID", "CANCELLED").Default("PENDING"),
		field.Int32("total_cents"),
		field.UUID("user_id", uuid.UUID{}).Optional().Nillable().SchemaType(blobOnSQLite),
	}
}

// Edges returns the relations to other entities.
func (Order) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("user", User.Type).Ref("orders").Field("user_id").Unique(),
		edge.To("items", OrderItem.Type).Annotations(entsql.OnDelete(entsql.Cascade)),
	}
}

// Indexes returns the indexes of the table.
func (Order) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("user_id", "id"),
		index.Fields("status", "id"),
		index.Fields("total_cents", "id"),
		index.Fields("created_at", "id"),
		index.Fields("updated_at", "id"),
	}
}

// Policy says who may read and change orders.
func (Order) Policy() ent.Policy {
	return rule.Policy{
		Read: rule.Owners, Create: rule.Owners, Update: rule.Owners, Delete: rule.Admins,
		Owner: rule.Owner{Column: "user_id"},
	}
}
