// The framework owns this file: internal/idempotency stores its keys here. An application keeps it.

package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"

	"forge/internal/rule"
)

// IdempotencyKey holds the answer to a mutation that a client may send again.
type IdempotencyKey struct{ ent.Schema }

// Mixin of the IdempotencyKey.
func (IdempotencyKey) Mixin() []ent.Mixin {
	return []ent.Mixin{Identified{Prefix: "idempotency"}}
}

// Fields of the IdempotencyKey.
func (IdempotencyKey) Fields() []ent.Field {
	return []ent.Field{
		field.String("viewer").Immutable().Comment("Whose key it is; empty where AUTH is off."),
		field.String("key").MaxRuneLen(255).Immutable(),
		field.String("fingerprint").Sensitive().Comment("Of the request: another one under the same key is refused."),
		field.Text("answer").Optional().Nillable().Sensitive(),
		field.Time("expires_at"),
	}
}

// Indexes of the IdempotencyKey.
func (IdempotencyKey) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("viewer", "key").Unique(),
		// Serves the removal of those that have expired.
		index.Fields("expires_at"),
	}
}

// Policy of the IdempotencyKey. The API shows no keys: only Forge itself reads and writes them.
func (IdempotencyKey) Policy() ent.Policy {
	return rule.Policy{Read: rule.Admins, Create: rule.Admins, Update: rule.Admins, Delete: rule.Admins}
}
