// Package schema has an entity with a column of every kind, for the tests of test/kinds.
package schema

import (
	"encoding/json"
	"time"

	"entgo.io/ent"
	"entgo.io/ent/dialect"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"forge/internal/entity"
	"forge/internal/rule"
)

// Sample has a column of every kind, and another one of each kind that may be NULL. Samples are
// parts of others.
type Sample struct{ ent.Schema }

// Annotations returns who may see which fields.
func (Sample) Annotations() []schema.Annotation {
	return []schema.Annotation{entity.Annotation{Prefix: "sample", ShownToAll: []string{
		"id", "flag", "maybeFlag", "whole", "maybeWhole", "big", "maybeBig", "huge", "maybeHuge", "real",
		"maybeReal", "near", "maybeNear", "price", "maybePrice", "measure", "maybeMeasure", "moment",
		"maybeMoment", "day", "maybeDay", "clock", "maybeClock", "span", "maybeSpan", "word", "maybeWord",
		"story", "maybeStory", "color", "maybeColor", "token", "maybeToken", "data", "maybeData",
		"document", "maybeDocument", "words", "maybeWords", "numbers", "maybeNumbers", "reals",
		"maybeReals", "bigs", "maybeBigs", "nears", "maybeNears", "flags", "maybeFlags", "tokens",
		"maybeTokens", "prices", "maybePrices", "of", "parts",
	}}}
}

// Fields returns the columns.
func (Sample) Fields() []ent.Field {
	return []ent.Field{
		field.UUID("id", uuid.UUID{}).Default(entity.NewID).Immutable().SchemaType(map[string]string{dialect.SQLite: "blob"}),
		field.UUID("of_id", uuid.UUID{}).Optional().Nillable().SchemaType(map[string]string{dialect.SQLite: "blob"}),
		field.String("secret").Default("").Sensitive(),
		field.Bool("flag"),
		field.Bool("maybe_flag").Optional().Nillable(),
		field.Int32("whole"),
		field.Int32("maybe_whole").Optional().Nillable(),
		field.Int64("big"),
		field.Int64("maybe_big").Optional().Nillable(),
		field.Uint64("huge"),
		field.Uint64("maybe_huge").Optional().Nillable(),
		field.Float("real"),
		field.Float("maybe_real").Optional().Nillable(),
		field.Float32("near"),
		field.Float32("maybe_near").Optional().Nillable(),
		field.Other("price", decimal.Decimal{}).SchemaType(map[string]string{dialect.Postgres: "numeric(12, 2)", dialect.SQLite: "text"}),
		field.Other("maybe_price", decimal.Decimal{}).SchemaType(map[string]string{dialect.Postgres: "numeric(12, 2)", dialect.SQLite: "text"}).Optional().Nillable(),
		field.Other("measure", decimal.Decimal{}).SchemaType(map[string]string{dialect.Postgres: "numeric", dialect.SQLite: "text"}),
		field.Other("maybe_measure", decimal.Decimal{}).SchemaType(map[string]string{dialect.Postgres: "numeric", dialect.SQLite: "text"}).Optional().Nillable(),
		field.Time("moment"),
		field.Time("maybe_moment").Optional().Nillable(),
		field.Time("day").SchemaType(map[string]string{dialect.Postgres: "date", dialect.SQLite: "date"}),
		field.Time("maybe_day").SchemaType(map[string]string{dialect.Postgres: "date", dialect.SQLite: "date"}).Optional().Nillable(),
		field.Time("clock").SchemaType(map[string]string{dialect.Postgres: "time", dialect.SQLite: "datetime"}),
		field.Time("maybe_clock").SchemaType(map[string]string{dialect.Postgres: "time", dialect.SQLite: "datetime"}).Optional().Nillable(),
		field.Int64("span").GoType(time.Duration(0)),
		field.Int64("maybe_span").GoType(time.Duration(0)).Optional().Nillable(),
		field.String("word"),
		field.String("maybe_word").Optional().Nillable(),
		field.Text("story"),
		field.Text("maybe_story").Optional().Nillable(),
		field.Enum("color").Values("RED", "GREEN"),
		field.Enum("maybe_color").Values("RED", "GREEN").Optional().Nillable(),
		field.UUID("token", uuid.UUID{}).SchemaType(map[string]string{dialect.SQLite: "blob"}),
		field.UUID("maybe_token", uuid.UUID{}).SchemaType(map[string]string{dialect.SQLite: "blob"}).Optional().Nillable(),
		field.Bytes("data"),
		field.Bytes("maybe_data").Optional(),
		field.JSON("document", json.RawMessage{}),
		field.JSON("maybe_document", json.RawMessage{}).Optional(),
		field.Strings("words"),
		field.Strings("maybe_words").Optional(),
		field.Ints("numbers"),
		field.Ints("maybe_numbers").Optional(),
		field.Floats("reals"),
		field.Floats("maybe_reals").Optional(),
		field.JSON("bigs", []int64{}),
		field.JSON("maybe_bigs", []int64{}).Optional(),
		field.JSON("nears", []float32{}),
		field.JSON("maybe_nears", []float32{}).Optional(),
		field.JSON("flags", []bool{}),
		field.JSON("maybe_flags", []bool{}).Optional(),
		field.JSON("tokens", []uuid.UUID{}),
		field.JSON("maybe_tokens", []uuid.UUID{}).Optional(),
		field.JSON("prices", []decimal.Decimal{}),
		field.JSON("maybe_prices", []decimal.Decimal{}).Optional(),
	}
}

// Edges returns the edges.
func (Sample) Edges() []ent.Edge {
	return []ent.Edge{edge.To("parts", Sample.Type).From("of").Unique().Field("of_id")}
}

// Policy says who may read and change samples.
func (Sample) Policy() ent.Policy {
	return rule.Policy{Read: rule.Everyone, Create: rule.Everyone, Update: rule.Everyone, Delete: rule.Everyone}
}
