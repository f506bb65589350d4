// This file belongs to the framework: internal/idempotency stores its keys here. Every application
// needs it.

package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"

	"forge/internal/rule"
)

// IdempotencyKey holds the answer to a mutation that a client may send again.
type IdempotencyKey struct{ ent.Schema }

// Mixin returns the mixins, which add the key.
func (IdempotencyKey) Mixin() []ent.Mixin {
	return []ent.Mixin{Identified{Prefix: "idempotency"}}
}

// Fields returns the fields that no mixin adds.
func (IdempotencyKey) Fields() []ent.Field {
	return []ent.Field{
		field.String("viewer").Immutable().Comment("Whose key it is; empty where AUTH is off."),
		field.String("key").MaxRuneLen(255).Immutable(),
		field.String("fingerprint").Sensitive().Comment("Of the request: another one under the same key is refused."),
		field.Text("answer").Optional().Nillable().Sensitive(),
		field.Time("expires_at"),
	}
}

// Indexes returns the indexes of the table.
func (IdempotencyKey) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("viewer", "key").Unique(),
		// This helps to find expired keys.
		index.Fields("expires_at"),
	}
}

// Policy keeps keys from all users. The API has none: only Forge itself reads and writes them.
func (IdempotencyKey) Policy() ent.Policy {
	return rule.Policy{Read: rule.Admins, Create: rule.Admins, Update: rule.Admins, Delete: rule.Admins}
}
