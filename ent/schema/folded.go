package schema

import (
	"context"
	"unicode/utf8"

	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
	"entgo.io/ent/schema/mixin"

	"forge/internal/apperr"
	"forge/internal/entity"
)

// Folded adds a text that is unique without regard to upper and lower case, and to other spellings
// of the same letters (see entity.Fold). Conditions compare it without regard to them as well.
//
// What is unique and compared is in a second column, whose name ends in _key. It is filled whenever
// the text is set, unless it is set itself.
type Folded struct {
	mixin.Schema
	Name        string              // of the column, one word in lower case
	Length      int                 // the most characters that it may have
	Optional    bool                // it may be NULL
	SoftDeleted bool                // rows may have the text of a deleted row
	Key         func(string) string // what is the same for all spellings of a text; entity.Fold if nil
}

func (m Folded) key() string { return m.Name + "_key" }

// Fields returns the text and its key. One character may become two in the key.
func (m Folded) Fields() []ent.Field {
	text := field.String(m.Name).MaxRuneLen(m.Length).Annotations(entity.Annotation{MatchBy: m.key()})
	key := field.String(m.key()).MaxRuneLen(2 * m.Length).Sensitive()
	if m.Optional {
		text, key = text.Optional().Nillable(), key.Optional().Nillable()
	}
	return []ent.Field{text, key}
}

// Indexes returns the unique index.
func (m Folded) Indexes() []ent.Index {
	unique := index.Fields(m.key()).Unique()
	if m.SoftDeleted {
		unique.Annotations(entsql.IndexWhere("deleted_at IS NULL"))
	}
	return []ent.Index{unique}
}

// Hooks returns a hook that fills the key.
func (m Folded) Hooks() []ent.Hook {
	return []ent.Hook{on(ent.OpCreate|ent.OpUpdate|ent.OpUpdateOne, m.fill)}
}

func (m Folded) fill(next ent.Mutator) ent.Mutator {
	return ent.MutateFunc(func(ctx context.Context, change ent.Mutation) (ent.Value, error) {
		err := m.setKey(change)
		if err != nil {
			return nil, err
		}
		return next.Mutate(ctx, change)
	})
}

func (m Folded) setKey(change ent.Mutation) error {
	if change.FieldCleared(m.Name) {
		return change.ClearField(m.key())
	}
	value, set := change.Field(m.Name)
	if _, given := change.Field(m.key()); given || !set {
		return nil
	}
	fold := m.Key
	if fold == nil {
		fold = entity.Fold
	}
	key := fold(value.(string))
	if utf8.RuneCountInString(key) > 2*m.Length {
		return apperr.BadInput("input."+m.Name, "%s is too long; at most %d characters are allowed", m.Name, m.Length)
	}
	return change.SetField(m.key(), key)
}
