package schema

import (
	"strings"

	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"

	"forge/internal/email"
	"forge/internal/entity"
	"forge/internal/rule"
	"forge/internal/viewer"
)

// These are the largest numbers of characters in the texts of a user.
const (
	UsernameLength = 50
	EmailLength    = 254
)

// User is a person who can sign in. A deleted user is hidden, not removed.
type User struct{ ent.Schema }

// Annotations returns who may see which fields, and the checks of the table.
func (User) Annotations() []schema.Annotation {
	return []schema.Annotation{
		entity.Annotation{
			Owner:         "id",
			ShownToAll:    []string{"id", "username", "createdAt", "updatedAt"},
			ShownToOwners: []string{"email", "emailVerifiedAt", "gravatarUrl", "identities", "role", "isActive", "eraseAt", "sessions", "signIns", "hasTotp", "passkeys", "version"},
			Search:        []string{"username"},
			Personal:      map[string]entity.Erase{"username": entity.Replace, "email": entity.Clear},
			Computed: map[string]entity.Computed{
				"gravatarUrl": {Needs: []string{"email"}, Outside: true},
				"identities":  {Price: 1},
				"sessions":    {Price: 20},
				"signIns":     {Price: 20},
				"hasTotp":     {},
				"passkeys":    {},
			},
		},
		entsql.Checks(map[string]string{
			"users_username_length": length("username", 1, UsernameLength),
			"users_email_length":    length("email", 3, EmailLength),
			"users_email_and_key":   "(email IS NULL) = (email_key IS NULL)",
			"users_role_known":      "role IN ('" + strings.Join(viewer.RoleNames(), "', '") + "')",
		}),
	}
}

// Mixin returns the mixins, which add the key, the times, the version and the mark of deleted rows.
func (User) Mixin() []ent.Mixin {
	return []ent.Mixin{Identified{Prefix: "user"}, Timed{}, Versioned{}, SoftDeleted{},
		Folded{Name: "email", Length: EmailLength, Optional: true, SoftDeleted: true, Key: email.Key}}
}

// Fields returns the fields that no mixin adds.
func (User) Fields() []ent.Field {
	return []ent.Field{
		field.String("username").MaxRuneLen(UsernameLength),
		field.String("hashed_password").MaxRuneLen(200).Optional().Nillable().Sensitive(),
		field.Time("tokens_valid_after").Optional().Nillable().StructTag(`json:"-"`).
			Comment("When all of the user's tokens were ended last: no older one counts."),
		field.Enum("role").Values(viewer.RoleNames()...).Default(viewer.User.String()),
		field.Bool("is_active").Default(true),
		field.Time("email_verified_at").Optional().Nillable().Comment("When the user proved that they read mails to the email; null if they did not."),
		field.Time("erase_at").Optional().Nillable().Comment("When what is personal will be erased, because the user has asked for it."),
	}
}

// Indexes returns the indexes that no mixin adds. Other users may take the name of a deleted user.
func (User) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("username").Unique().Annotations(entsql.IndexWhere("deleted_at IS NULL")),
		index.Fields("created_at", "id").Annotations(entsql.IndexWhere("deleted_at IS NULL")),
		index.Fields("updated_at", "id").Annotations(entsql.IndexWhere("deleted_at IS NULL")),
		// This helps session.Revocations to read the newest times.
		index.Fields("tokens_valid_after").Annotations(entsql.IndexWhere("tokens_valid_after IS NOT NULL")),
		// This helps to find the accounts that are to be erased.
		index.Fields("erase_at").Annotations(entsql.IndexWhere("erase_at IS NOT NULL")),
	}
}

// Policy says who may read and change users.
func (User) Policy() ent.Policy {
	return rule.Policy{
		Read: rule.Everyone, Create: rule.Admins, Update: rule.Owners, Delete: rule.Owners,
		Owner: rule.Owner{Column: "id"},
		SetBy: map[string]rule.Who{"role": rule.Admins, "is_active": rule.Admins, "hashed_password": rule.Admins},
	}
}
