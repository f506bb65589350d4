package schema

import (
	"entgo.io/contrib/entgql"
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
)

// Team is a band of heroes.
type Team struct{ ent.Schema }

// Annotations returns what entgql offers for the entity in the API.
func (Team) Annotations() []schema.Annotation {
	return []schema.Annotation{entgql.RelayConnection(), entgql.QueryField()}
}

// Mixin returns the mixins, which add the key, the times and the version.
func (Team) Mixin() []ent.Mixin { return []ent.Mixin{keyed{}, timed{}} }

// Fields returns the fields that no mixin adds.
func (Team) Fields() []ent.Field {
	return []ent.Field{
		field.String("name").MaxRuneLen(100).Annotations(entgql.OrderField("NAME")),
		field.String("headquarters").MaxRuneLen(200).Optional().Nillable(),
	}
}

// Edges returns the relations to other entities.
func (Team) Edges() []ent.Edge {
	return []ent.Edge{edge.To("heroes", Hero.Type).Annotations(entgql.RelayConnection())}
}
