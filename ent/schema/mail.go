// This file belongs to the framework: internal/mail stores mails here until they are sent. Every
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

// Mail is a mail that is to be sent. It is stored with the change that it is about, and removed
// after it was sent.
type Mail struct{ ent.Schema }

// Mixin returns the mixins, which add the key.
func (Mail) Mixin() []ent.Mixin {
	return []ent.Mixin{Identified{Prefix: "mail"}}
}

// Fields returns the fields that no mixin adds.
func (Mail) Fields() []ent.Field {
	return []ent.Field{
		field.UUID("user_id", uuid.UUID{}).Optional().Nillable().Immutable().SchemaType(blobOnSQLite),
		field.String("template").MaxLen(64).Immutable().Comment("The name of the template."),
		field.String("recipient").MaxRuneLen(254).Immutable().Sensitive(),
		field.String("language").MaxLen(35).Optional().Immutable().Comment("BCP 47, or empty."),
		field.Text("data").Optional().Immutable().Sensitive().
			Comment("JSON for the template. Tokens are not in it: they are made when the mail is sent."),
		field.Time("created_at").Default(now).Immutable(),
		field.Time("due_at").Comment("It is not sent before."),
		field.UUID("lease", uuid.UUID{}).Optional().Nillable().SchemaType(blobOnSQLite).Comment("Of the server that sends it now."),
		field.Time("leased_until").Optional().Nillable(),
		field.Int32("failures").Default(0),
		field.Text("last_error").Optional().Nillable(),
		field.Time("failed_at").Optional().Nillable().Comment("Since when it is no longer tried."),
	}
}

// Edges returns the relations to other entities.
func (Mail) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("user", User.Type).Field("user_id").Unique().Immutable().Annotations(entsql.OnDelete(entsql.Cascade)),
	}
}

// Indexes returns the indexes of the table.
func (Mail) Indexes() []ent.Index {
	return []ent.Index{
		// The foreign key needs it when a user is removed.
		index.Fields("user_id"),
		// This helps to find the mails that are due.
		index.Fields("due_at").Annotations(entsql.IndexWhere("failed_at IS NULL")),
	}
}

// Policy keeps mails from all users. The API has none: only Forge itself reads and writes them.
func (Mail) Policy() ent.Policy {
	return rule.Policy{Read: rule.Admins, Create: rule.Admins, Update: rule.Admins, Delete: rule.Admins}
}
