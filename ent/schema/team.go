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

// These are the largest numbers of characters in the texts of a team.
const (
	TeamNameLength         = 100
	TeamHeadquartersLength = 200
)

// Team is a group of heroes. If a team is deleted, its heroes remain and have no team.
type Team struct{ ent.Schema }

// Annotations returns who may see which fields, and the checks of the table.
func (Team) Annotations() []schema.Annotation {
	return []schema.Annotation{
		entity.Annotation{
			ShownToAll: []string{"id", "name", "headquarters", "rivals", "heroes", "version", "createdAt", "updatedAt"},
			Search:     []string{"name", "headquarters"},
			MaxAge:     60,
			Logged:     true,
			Computed:   map[string]entity.Computed{"rivals": {Needs: []string{"headquarters"}, Price: 2}},
		},
		entsql.Checks(map[string]string{
			"teams_name_length":         length("name", 1, TeamNameLength),
			"teams_headquarters_length": length("headquarters", 1, TeamHeadquartersLength),
		}),
	}
}

// Mixin returns the mixins, which add the key, the times and the version.
func (Team) Mixin() []ent.Mixin {
	return []ent.Mixin{Identified{Prefix: "team"}, Timed{}, Versioned{}}
}

// Fields returns the fields that no mixin adds.
func (Team) Fields() []ent.Field {
	return []ent.Field{
		field.String("name").MaxRuneLen(TeamNameLength).Annotations(line),
		field.String("headquarters").MaxRuneLen(TeamHeadquartersLength).Optional().Nillable().Annotations(line),
	}
}

// Edges returns the relations to other entities.
func (Team) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("heroes", Hero.Type).Annotations(entsql.OnDelete(entsql.SetNull)),
	}
}

// Indexes returns the indexes of the table.
func (Team) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("name").Unique(),
		index.Fields("created_at", "id"),
		index.Fields("updated_at", "id"),
	}
}

// Policy says who may read and change teams.
func (Team) Policy() ent.Policy {
	return rule.Policy{Read: rule.Everyone, Create: rule.Admins, Update: rule.Admins, Delete: rule.Admins}
}
