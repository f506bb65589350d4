// This file belongs to the framework: internal/session stores here who has signed in. Every
// application needs it.

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

// SignIn is an entry of the log of sign-ins: that somebody has signed in as a user, or has failed
// to.
type SignIn struct{ ent.Schema }

// Mixin returns the mixins, which add the key.
func (SignIn) Mixin() []ent.Mixin {
	return []ent.Mixin{Identified{Prefix: "sign_in"}}
}

// Fields returns the fields that no mixin adds.
func (SignIn) Fields() []ent.Field {
	return []ent.Field{
		field.UUID("user_id", uuid.UUID{}).Immutable().SchemaType(blobOnSQLite),
		field.String("method").MaxLen(64).Immutable().Comment("The proof that was given, such as password or link."),
		field.Bool("succeeded").Immutable(),
		field.String("address").MaxLen(64).Optional().Immutable().Comment("Of the client, as far as it is known."),
		field.String("client").MaxRuneLen(254).Optional().Immutable().Comment("The beginning of the header User-Agent."),
		field.Time("created_at").Default(now).Immutable(),
	}
}

// Edges returns the relations to other entities.
func (SignIn) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("user", User.Type).Field("user_id").Unique().Required().Immutable().Annotations(entsql.OnDelete(entsql.Cascade)),
	}
}

// Indexes returns the indexes of the table.
func (SignIn) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("user_id", "created_at"),
		// This helps to find expired entries.
		index.Fields("created_at"),
	}
}

// Policy keeps the log from all users. The API shows them their own entries in another way.
func (SignIn) Policy() ent.Policy {
	return rule.Policy{Read: rule.Admins, Create: rule.Admins, Update: rule.Admins, Delete: rule.Admins}
}
