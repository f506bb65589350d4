package read

import (
	"slices"
	"strings"

	"entgo.io/ent/dialect"

	"forge/internal/entity"
)

// kind says how the engine holds the columns of one kind.
type kind struct {
	scalar    string // the GraphQL type that shows them; "" for an enum of the schema
	types     string // the types of ent/schema that they have, for people
	output    outputKind
	operators []string // that a where input may compare them with
	orders    bool     // pages can be ordered by them
	// stored lists the types in the database, by dialect, that bring and take such values.
	stored map[string][]string
}

// kinds are those that the engine holds; a schema that shows a column of another does not start. Whoever adds a kind gives it
// its row here, an output in write.go, an argument in where.go and, if it orders, a value in cursor.go.
var kinds = map[entity.Kind]kind{
	entity.ID: {"ID", "UUID (keys)", idColumn, comparing("In"), false, map[string][]string{
		dialect.Postgres: {"uuid"}, dialect.SQLite: {"blob", "uuid"}}},
	entity.String: {"String", "String, Text", textColumn, comparing("In", "GT", "GTE", "LT", "LTE", "HasPrefix"), true, texts},
	entity.Int: {"Int", "Int, Int8, Int16, Int32, Uint8, Uint16", numberColumn, comparing("In", "GT", "GTE", "LT", "LTE"), true, map[string][]string{
		dialect.Postgres: {"smallint", "integer", "bigint", "int", "int2", "int4", "int8"},
		dialect.SQLite:   {"smallint", "integer", "bigint", "int", "tinyint"}}},
	entity.Bool: {"Boolean", "Bool", boolColumn, comparing(), false, map[string][]string{
		dialect.Postgres: {"boolean", "bool"}, dialect.SQLite: {"bool", "boolean"}}},
	entity.Time: {"Time", "Time", timeColumn, comparing("In", "GT", "GTE", "LT", "LTE"), true, map[string][]string{
		dialect.Postgres: {"timestamptz", "timestamp with time zone"}, dialect.SQLite: {"datetime"}}},
	entity.Enum: {"", "Enum", enumColumn, comparing("In"), true, texts},
}

var texts = map[string][]string{
	dialect.Postgres: {"text", "varchar", "character varying"}, dialect.SQLite: {"text", "varchar"},
}

// comparing returns the operators that every kind has, and more.
func comparing(more ...string) []string { return append([]string{"", "IsNil"}, more...) }

// typesHeld lists the types of ent/schema that the engine holds.
func typesHeld() string {
	var held []string
	for of := entity.ID; of <= entity.Other; of++ {
		if k, ok := kinds[of]; ok {
			held = append(held, k.types)
		}
	}
	return strings.Join(held, ", ")
}

// operators are the endings of a field's name in a where input; none means equality.
var operators = func() map[string]bool {
	all := map[string]bool{}
	for _, k := range kinds {
		for _, op := range k.operators {
			all[op] = true
		}
	}
	return all
}()

// takes reports whether values of the kind can be stored as a type of the database: a size in brackets does not count.
func (k kind) takes(dialect, stored string) bool {
	name, _, _ := strings.Cut(stored, "(")
	list, known := k.stored[dialect]
	return !known || slices.Contains(list, strings.ToLower(strings.TrimSpace(name)))
}
