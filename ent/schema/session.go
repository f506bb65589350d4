// The framework owns this file: internal/session stores refresh tokens here. An application keeps
// it.

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

// Session is a refresh token of a user. It is valid once. The tokens of one sign-in, each of which
// was exchanged for the next, are a family.
type Session struct{ ent.Schema }

// Mixin of the Session.
func (Session) Mixin() []ent.Mixin {
	return []ent.Mixin{Identified{Prefix: "session"}}
}

// Fields of the Session.
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
	}
}

// Edges of the Session.
func (Session) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("user", User.Type).Field("user_id").Unique().Required().Immutable().Annotations(entsql.OnDelete(entsql.Cascade)),
	}
}

// Indexes of the Session.
func (Session) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("token_hash").Unique(),
		// Serve the end of all that a user has, and of a family.
		index.Fields("user_id"),
		index.Fields("family"),
		// Serves the removal of those that have expired.
		index.Fields("expires_at"),
	}
}

// Policy of the Session. The API shows no sessions: only Forge itself reads and writes them.
func (Session) Policy() ent.Policy {
	return rule.Policy{Read: rule.Admins, Create: rule.Admins, Update: rule.Admins, Delete: rule.Admins}
}
