// Package schema describes Forge's tables as the tutorial of entgql does: what differs from ent/schema of Forge is that entgql offers everything.
package schema

import (
	"time"

	"entgo.io/contrib/entgql"
	"entgo.io/ent"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/mixin"

	"forge/bench/stock/uuidgql"
)

// keyed gives a row its key.
type keyed struct{ mixin.Schema }

func (keyed) Fields() []ent.Field {
	return []ent.Field{field.UUID("id", uuidgql.UUID{}).Default(uuidgql.New).Immutable()}
}

// timed stamps a row and counts its changes.
type timed struct{ mixin.Schema }

func (timed) Fields() []ent.Field {
	return []ent.Field{
		field.Time("created_at").Default(time.Now).Immutable().Annotations(entgql.OrderField("CREATED_AT")),
		field.Time("updated_at").Default(time.Now).UpdateDefault(time.Now),
		field.Int("version").Default(1),
	}
}
