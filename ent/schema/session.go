// This file belongs to the framework: internal/session stores refresh tokens here. Every
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

// Session is a refresh token of a user. It can be used once, in exchange for the next token. All
// tokens that follow from one sign-in are a family.
type Session struct{ ent.Schema }

// Mixin returns the mixins, which add the key.
func (Session) Mixin() []ent.Mixin {
	return []ent.Mixin{Identified{Prefix: "session"}}
}

// Fields returns the fields that no mixin adds.
func (Session) Fields() []ent.Field {
	return []ent.Field{
		field.UUID("family", uuid.UUID{}).Immutable().SchemaType(blobOnSQLite),
		field.UUID("user_id", uuid.UUID{}).Immutable().SchemaType(blobOnSQLite),
		field.String("token_hash").MaxLen(64).Immutable().Sensitive().
			Comment("SHA-256 of the token, in hexadecimal. The token itself is not stored."),
		field.Time("created_at").Default(now).Immutable(),
		field.Time("expires_at").Immutable(),
		field.Time("used_at").Optional().Nillable().
			Comment("When it was exchanged for the next of its family. A used one that comes back was stolen, or its successor was."),
		field.String("successor_salt").MaxLen(32).Optional().Nillable().Sensitive().
			Comment("Random. The next token is made of it, of the used token and of the client, " +
				"so that who sends the used one again gets the next one again."),
		field.Time("began_at").Optional().Nillable().Immutable().Comment("When the first of the family was made; null if an earlier version made it."),
		field.String("method").MaxLen(64).Optional().Immutable().Comment("How the family's user signed in, such as password or link."),
		field.String("address").MaxLen(64).Optional().Immutable().Comment("Of the client that it was made for, as far as it is known."),
		field.String("client").MaxRuneLen(254).Optional().Immutable().Comment("The beginning of the client's header User-Agent."),
	}
}

// Edges returns the relations to other entities.
func (Session) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("user", User.Type).Field("user_id").Unique().Required().Immutable().Annotations(entsql.OnDelete(entsql.Cascade)),
	}
}

// Indexes returns the indexes of the table.
func (Session) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("token_hash").Unique(),
		// These two help to end all sessions of a user, and all of a family.
		index.Fields("user_id"),
		index.Fields("family"),
		// This helps to list the sessions of a user, each of which has one unused token.
		index.Fields("user_id", "created_at").Annotations(entsql.IndexWhere("used_at IS NULL")),
		// This helps to find expired sessions.
		index.Fields("expires_at"),
	}
}

// Policy keeps sessions from all users. The API has none: only Forge itself reads and writes them.
func (Session) Policy() ent.Policy {
	return rule.Policy{Read: rule.Admins, Create: rule.Admins, Update: rule.Admins, Delete: rule.Admins}
}
