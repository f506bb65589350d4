package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"

	"forge/internal/entity"
	"forge/internal/rule"
)

// The greatest lengths of a team's texts, in characters.
const (
	TeamNameLength         = 100
	TeamHeadquartersLength = 200
)

// Team is a group of heroes. When it is deleted, its heroes stay, without a team.
type Team struct{ ent.Schema }

// Annotations of the Team.
func (Team) Annotations() []schema.Annotation {
	return []schema.Annotation{
		entity.Annotation{ShownToAll: []string{"id", "name", "headquarters", "heroes", "version", "createdAt", "updatedAt"}},
		entsql.Checks(map[string]string{
			"teams_name_length":         length("name", 1, TeamNameLength),
			"teams_headquarters_length": length("headquarters", 1, TeamHeadquartersLength),
		}),
	}
}

// Mixin of the Team.
func (Team) Mixin() []ent.Mixin {
	return []ent.Mixin{Identified{Prefix: "team"}, Timed{}, Versioned{}}
}

// Fields of the Team.
func (Team) Fields() []ent.Field {
	return []ent.Field{
		field.String("name").MaxRuneLen(TeamNameLength),
		field.String("headquarters").MaxRuneLen(TeamHeadquartersLength).Optional().Nillable(),
	}
}

// Edges of the Team.
func (Team) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("heroes", Hero.Type).Annotations(entsql.OnDelete(entsql.SetNull)),
	}
}

// Indexes of the Team.
func (Team) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("name").Unique(),
		index.Fields("created_at", "id"),
	}
}

// Policy of the Team.
func (Team) Policy() ent.Policy {
	return rule.Policy{Read: rule.Everyone, Create: rule.Admins, Update: rule.Admins, Delete: rule.Admins}
}
