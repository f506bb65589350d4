package schema

import (
	"entgo.io/contrib/entgql"
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
)

// User is a person who owns heroes and places orders.
type User struct{ ent.Schema }

// Annotations returns what entgql offers for the entity in the API.
func (User) Annotations() []schema.Annotation {
	return []schema.Annotation{entgql.RelayConnection(), entgql.QueryField(), entgql.Mutations(entgql.MutationUpdate())}
}

// Mixin returns the mixins, which add the key, the times and the version.
func (User) Mixin() []ent.Mixin { return []ent.Mixin{keyed{}, timed{}} }

// Fields returns the fields that no mixin adds.
func (User) Fields() []ent.Field {
	return []ent.Field{
		field.Time("deleted_at").Optional().Nillable().Annotations(entgql.Skip()),
		field.String("username").MaxRuneLen(50).Annotations(entgql.OrderField("USERNAME")),
		field.String("email").MaxRuneLen(254).Optional().Nillable(),
		field.String("email_key").Optional().Nillable().Sensitive().Annotations(entgql.Skip()),
		field.String("hashed_password").Optional().Nillable().Sensitive().Annotations(entgql.Skip()),
		field.Enum("role").Values("USER", "ADMIN").Default("USER"),
		field.Bool("is_active").Default(true),
	}
}

// Edges returns the relations to other entities.
func (User) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("heroes", Hero.Type).Annotations(entgql.RelayConnection()),
		edge.To("orders", Order.Type).Annotations(entgql.RelayConnection()),
	}
}
