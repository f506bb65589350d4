// This file belongs to the framework: internal/factor and internal/provider store here how users
// prove who they are. Every application needs it.

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

// Credential is a way in which a user proves who they are, beside the password: a secret of TOTP, a
// recovery code, a passkey, or an account at a provider.
type Credential struct{ ent.Schema }

// Mixin returns the mixins, which add the key.
func (Credential) Mixin() []ent.Mixin {
	return []ent.Mixin{Identified{Prefix: "credential"}}
}

// Fields returns the fields that no mixin adds.
func (Credential) Fields() []ent.Field {
	return []ent.Field{
		field.UUID("user_id", uuid.UUID{}).Immutable().SchemaType(blobOnSQLite),
		field.String("kind").MaxLen(64).Immutable().
			Comment("totp, recovery, passkey, or provider: and the name of the provider."),
		field.String("key").MaxLen(1024).Immutable().Sensitive().
			Comment("Tells it from all others of its kind: the hash of a code, the ID of a passkey, the subject at a provider."),
		field.String("name").MaxRuneLen(254).Optional().Nillable().Comment("What the user calls it, or the email at the provider."),
		field.Bytes("data").Optional().Nillable().Sensitive().Comment("What its kind needs. Secrets are sealed."),
		field.Time("created_at").Default(now).Immutable(),
		field.Time("confirmed_at").Optional().Nillable().Comment("Since when it counts."),
		field.Time("last_used_at").Optional().Nillable(),
	}
}

// Edges returns the relations to other entities.
func (Credential) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("user", User.Type).Field("user_id").Unique().Required().Immutable().Annotations(entsql.OnDelete(entsql.Cascade)),
	}
}

// Indexes returns the indexes of the table.
func (Credential) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("kind", "key").Unique(),
		index.Fields("user_id", "kind"),
	}
}

// Policy keeps credentials from all users. The API has none: only Forge itself reads and writes
// them.
func (Credential) Policy() ent.Policy {
	return rule.Policy{Read: rule.Admins, Create: rule.Admins, Update: rule.Admins, Delete: rule.Admins}
}
