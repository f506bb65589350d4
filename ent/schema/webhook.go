// This file belongs to the framework: internal/webhook stores endpoints here. Every application
// needs it.

package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
	"github.com/google/uuid"

	"forge/internal/rule"
)

// Webhook is an endpoint: a subscription that is delivered by POST.
type Webhook struct{ ent.Schema }

// Mixin returns the mixins, which add the key.
func (Webhook) Mixin() []ent.Mixin {
	return []ent.Mixin{Identified{Prefix: "webhook"}}
}

// Fields returns the fields that no mixin adds.
func (Webhook) Fields() []ent.Field {
	return []ent.Field{
		field.String("url").MaxLen(2048),
		field.Text("document").Immutable(),
		field.Text("variables").Optional().Immutable().Comment("JSON, or empty."),
		field.String("role").Immutable().Comment("Of the viewer, if no user is named."),
		field.UUID("user_id", uuid.UUID{}).Optional().Nillable().Immutable().SchemaType(blobOnSQLite),
		field.String("secret").MaxLen(128).Sensitive(),
		field.String("previous_secret").MaxLen(128).Optional().Nillable().Sensitive(),
		field.Time("previous_until").Optional().Nillable().Comment("Until when deliveries are signed with the previous secret as well."),
		field.Text("position").Comment("The cursor of changes after the last delivery."),
		field.Time("due_at").Comment("Nothing is delivered before it."),
		field.UUID("lease", uuid.UUID{}).Optional().Nillable().SchemaType(blobOnSQLite).Comment("Of the server that delivers now."),
		field.Time("leased_until").Optional().Nillable(),
		field.Int32("failures").Default(0).Comment("Since the last success."),
		field.Time("failing_since").Optional().Nillable(),
		field.Int32("last_status").Optional().Nillable().Comment("The status of the last answer, if there was one."),
		field.Text("last_error").Optional().Nillable().Comment("Why the last delivery failed; null if it did not."),
		field.Time("delivered_at").Optional().Nillable().Comment("When the last delivery succeeded."),
		field.Time("disabled_at").Optional().Nillable(),
		field.Text("disabled_reason").Optional().Nillable(),
		field.Time("created_at").Default(now).Immutable(),
	}
}

// Edges returns the relations to other entities.
func (Webhook) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("user", User.Type).Field("user_id").Unique().Immutable().Annotations(entsql.OnDelete(entsql.Cascade)),
	}
}

// Indexes returns the indexes of the table.
func (Webhook) Indexes() []ent.Index {
	return []ent.Index{
		// The foreign key needs it when a user is removed.
		index.Fields("user_id"),
	}
}

// Policy keeps endpoints from all but administrators.
func (Webhook) Policy() ent.Policy {
	return rule.Policy{Read: rule.Admins, Create: rule.Admins, Update: rule.Admins, Delete: rule.Admins}
}
