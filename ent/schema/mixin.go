package schema

import (
	"context"
	"fmt"
	"time"

	"entgo.io/ent"
	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/dialect/sql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
	"entgo.io/ent/schema/mixin"
	"github.com/google/uuid"

	"forge/internal/entity"
)

// Identified adds a key: a UUID of version 7 (RFC 9562). Later keys sort after earlier ones.
// Clients see Prefix before the key, as in "user_…", so that an ID shows its type.
type Identified struct {
	mixin.Schema
	Prefix string
}

// Fields returns the key.
func (Identified) Fields() []ent.Field {
	return []ent.Field{
		field.UUID("id", uuid.UUID{}).Default(entity.NewID).Immutable().SchemaType(blobOnSQLite),
	}
}

// Annotations returns the prefix.
func (m Identified) Annotations() []schema.Annotation {
	return []schema.Annotation{entity.Annotation{Prefix: m.Prefix}}
}

// on returns a hook for some operations alone. Generated code has the like: this package uses none,
// so that it compiles before code is generated.
func on(ops ent.Op, hook ent.Hook) ent.Hook {
	return func(next ent.Mutator) ent.Mutator {
		hooked := hook(next)
		return ent.MutateFunc(func(ctx context.Context, m ent.Mutation) (ent.Value, error) {
			if m.Op().Is(ops) {
				return hooked.Mutate(ctx, m)
			}
			return next.Mutate(ctx, m)
		})
	}
}

// restricted is a query or a mutation to which conditions can be added.
type restricted interface{ WhereP(...func(*sql.Selector)) }

// blobOnSQLite stores a UUID as 16 bytes on SQLite. PostgreSQL has a type for UUIDs.
var blobOnSQLite = map[string]string{dialect.SQLite: "blob"}

// line is for texts of one line: blanks around them are cut off, and control characters refused.
var line = entity.Annotation{Line: true}

// Timed records when a row was created and last updated. The times are exact to the microsecond,
// as on PostgreSQL.
type Timed struct{ mixin.Schema }

// Fields returns the two times.
func (Timed) Fields() []ent.Field {
	return []ent.Field{
		field.Time("created_at").Default(now).Immutable(),
		field.Time("updated_at").Default(now).UpdateDefault(now),
	}
}

// Hooks returns a hook that makes the two times of a new row equal.
func (Timed) Hooks() []ent.Hook {
	return []ent.Hook{on(ent.OpCreate, stampOnce)}
}

func stampOnce(next ent.Mutator) ent.Mutator {
	return ent.MutateFunc(func(ctx context.Context, m ent.Mutation) (ent.Value, error) {
		if created, ok := m.Field("created_at"); ok {
			if err := m.SetField("updated_at", created); err != nil {
				return nil, err
			}
		}
		return next.Mutate(ctx, m)
	})
}

// length returns the condition of a CHECK: a text has least to most characters.
func length(column string, least, most int) string {
	return fmt.Sprintf("length(%s) BETWEEN %d AND %d", column, least, most)
}

func now() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }

// Versioned counts the changes of a row. A client can thus demand that nobody else has changed the
// row since it was read.
type Versioned struct{ mixin.Schema }

// Fields returns the version.
func (Versioned) Fields() []ent.Field {
	return []ent.Field{field.Int("version").Default(1).Comment("Counts the changes, from 1.")}
}

// Hooks returns a hook that adds 1 to the version with every update.
func (Versioned) Hooks() []ent.Hook {
	return []ent.Hook{on(ent.OpUpdate|ent.OpUpdateOne, countChange)}
}

func countChange(next ent.Mutator) ent.Mutator {
	return ent.MutateFunc(func(ctx context.Context, m ent.Mutation) (ent.Value, error) {
		if err := m.AddField("version", 1); err != nil {
			return nil, err
		}
		return next.Mutate(ctx, m)
	})
}

// SoftDeleted hides deleted rows. Every query skips them, unless its context comes from
// entity.WithDeleted.
type SoftDeleted struct{ mixin.Schema }

// Fields returns the time when the row was deleted.
func (SoftDeleted) Fields() []ent.Field {
	return []ent.Field{field.Time("deleted_at").Optional().Nillable()}
}

// Annotations returns which column marks a row as deleted.
func (SoftDeleted) Annotations() []schema.Annotation {
	return []schema.Annotation{entity.Annotation{Deleted: "deleted_at"}}
}

// Indexes returns an index of the deleted rows, which are few as a rule, for lists of them.
func (SoftDeleted) Indexes() []ent.Index {
	return []ent.Index{index.Fields("id").Annotations(entsql.IndexWhere("deleted_at IS NOT NULL"))}
}

// Interceptors returns an interceptor that adds the condition to every query.
func (SoftDeleted) Interceptors() []ent.Interceptor {
	return []ent.Interceptor{
		ent.TraverseFunc(func(ctx context.Context, q ent.Query) error {
			if !entity.SeesDeleted(ctx) {
				q.(restricted).WhereP(notDeleted)
			}
			return nil
		}),
	}
}

// Hooks returns a hook that keeps updates away from deleted rows, unless the context comes from
// entity.WithDeleted.
func (SoftDeleted) Hooks() []ent.Hook {
	return []ent.Hook{on(ent.OpUpdate|ent.OpUpdateOne, spareDeleted)}
}

func spareDeleted(next ent.Mutator) ent.Mutator {
	return ent.MutateFunc(func(ctx context.Context, m ent.Mutation) (ent.Value, error) {
		w, ok := m.(restricted)
		if ok && !entity.SeesDeleted(ctx) {
			w.WhereP(notDeleted)
		}
		return next.Mutate(ctx, m)
	})
}

func notDeleted(s *sql.Selector) { s.Where(sql.IsNull(s.C("deleted_at"))) }
