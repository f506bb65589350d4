// Package schema describes Forge's tables in the way of entgql's tutorial, which offers all of them
// in the API.
package schema

import (
	"time"

	"entgo.io/contrib/entgql"
	"entgo.io/ent"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/mixin"

	"forge/bench/stock/uuidgql"
)

// keyed adds the key of a row.
type keyed struct{ mixin.Schema }

func (keyed) Fields() []ent.Field {
	return []ent.Field{field.UUID("id", uuidgql.UUID{}).Default(uuidgql.New).Immutable()}
}

// timed adds the times and the version of a row.
type timed struct{ mixin.Schema }

func (timed) Fields() []ent.Field {
	return []ent.Field{
		field.Time("created_at").Default(time.Now).Immutable().Annotations(entgql.OrderField("CREATED_AT")),
		field.Time("updated_at").Default(time.Now).UpdateDefault(time.Now),
		field.Int("version").Default(1),
	}
}
