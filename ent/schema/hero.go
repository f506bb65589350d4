package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
	"github.com/google/uuid"

	"forge/internal/entity"
	"forge/internal/rule"
)

// These are the largest numbers of characters in the texts of a hero.
const (
	HeroNameLength       = 100
	HeroSecretNameLength = 100
)

// Hero may belong to a user and to a team.
type Hero struct{ ent.Schema }

// Annotations returns who may see which fields, and the checks of the table.
func (Hero) Annotations() []schema.Annotation {
	return []schema.Annotation{
		entity.Annotation{
			ShownToAll: []string{"id", "name", "age", "team", "owner", "photos", "version", "createdAt", "updatedAt"},
			Search:     []string{"name"},
			Logged:     true,
			// An application that works offline names heroes before the server knows them.
			ClientIDs: true,
			// A hero lives on without the user who was erased.
			OwnerErased: entity.Release,
		},
		entsql.Table("heroes"),
		entsql.Checks(map[string]string{
			"heroes_name_length":        length("name", 1, HeroNameLength),
			"heroes_secret_name_length": length("secret_name", 1, HeroSecretNameLength),
			"heroes_age_not_negative":   "age >= 0",
		}),
	}
}

// Mixin returns the mixins, which add the key, the times and the version.
func (Hero) Mixin() []ent.Mixin {
	return []ent.Mixin{Identified{Prefix: "hero"}, Timed{}, Versioned{}}
}

// Fields returns the fields that no mixin adds.
func (Hero) Fields() []ent.Field {
	return []ent.Field{
		field.String("name").MaxRuneLen(HeroNameLength).Annotations(line),
		field.String("secret_name").MaxRuneLen(HeroSecretNameLength).Optional().Nillable().Sensitive().Annotations(line),
		field.Int32("age").Optional().Nillable(),
		field.UUID("team_id", uuid.UUID{}).Optional().Nillable().SchemaType(blobOnSQLite),
		field.UUID("owner_id", uuid.UUID{}).Optional().Nillable().SchemaType(blobOnSQLite),
	}
}

// Edges returns the relations to other entities.
func (Hero) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("team", Team.Type).Ref("heroes").Field("team_id").Unique(),
		edge.From("owner", User.Type).Ref("heroes").Field("owner_id").Unique(),
		heroPhotos,
	}
}

// heroPhotos are pictures of a hero.
var heroPhotos = ManyFiles("hero", Hero.Type, "photos",
	entity.FileLimits{MaxBytes: 10 << 20, ContentTypes: entity.Pictures, Most: 20})

// Indexes returns the indexes of the table.
func (Hero) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("team_id", "id"),
		index.Fields("owner_id", "id"),
		index.Fields("name", "id"),
		index.Fields("created_at", "id"),
		index.Fields("updated_at", "id"),
		// NULLs come last in both directions, so each direction needs its own index.
		index.Fields("age", "id"),
		index.Fields("age", "id").StorageKey("hero_age_desc").Annotations(entsql.DescColumns("age", "id")),
	}
}

// Policy says who may read and change heroes.
func (Hero) Policy() ent.Policy {
	return rule.Policy{
		Read: rule.Everyone, Create: rule.Owners, Update: rule.Owners, Delete: rule.Owners,
		Owner: rule.Owner{Column: "owner_id"},
	}
}
