package schema

import (
	"entgo.io/contrib/entgql"
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"

	"forge/bench/stock/uuidgql"
)

// Hero belongs to a user, and possibly to a team.
type Hero struct{ ent.Schema }

// Annotations returns what entgql offers for the entity in the API.
func (Hero) Annotations() []schema.Annotation {
	return []schema.Annotation{entsql.Table("heroes"), entgql.RelayConnection(), entgql.QueryField("heroes")}
}

// Mixin returns the mixins, which add the key, the times and the version.
func (Hero) Mixin() []ent.Mixin { return []ent.Mixin{keyed{}, timed{}} }

// Fields returns the fields that no mixin adds.
func (Hero) Fields() []ent.Field {
	return []ent.Field{
		field.String("name").MaxRuneLen(100).Annotations(entgql.OrderField("NAME")),
		field.String("secret_name").MaxRuneLen(100).Optional().Nillable().Sensitive().Annotations(entgql.Skip()),
		field.Int32("age").Optional().Nillable().Annotations(entgql.OrderField("AGE")),
		field.UUID("team_id", uuidgql.UUID{}).Optional().Nillable(),
		field.UUID("owner_id", uuidgql.UUID{}).Optional().Nillable(),
	}
}

// Edges returns the relations to other entities.
func (Hero) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("team", Team.Type).Ref("heroes").Field("team_id").Unique(),
		edge.From("owner", User.Type).Ref("heroes").Field("owner_id").Unique(),
	}
}
