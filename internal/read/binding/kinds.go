package binding

import (
	"slices"
	"strings"

	"entgo.io/ent/dialect"

	"forge/internal/entity"
	"forge/internal/ids"
)

// Kind says what the engine can do with the columns of one kind.
type Kind struct {
	Orders    bool     // pages can be ordered by such columns
	scalar    string   // the GraphQL type that shows them; "" for an enum of the schema
	types     string   // the types in ent/schema, as a message names them
	operators []string // the operators of a where input that may compare them
	// stored lists, for each dialect, the types in the database that can hold such values.
	stored map[string][]string
}

// KindOf returns what the engine can do with columns of a kind. It returns false if the engine
// cannot read them.
func KindOf(of entity.Kind) (Kind, bool) {
	k, ok := kinds[of]
	return k, ok
}

// kinds holds the kinds of columns that the engine can read. With a schema that shows a column of
// another kind, the server does not start. A new kind needs a row here, an output in package plan,
// a form in package encode, an argument in package sql, and, if pages can be ordered by it, a value
// in package rows.
var kinds = map[entity.Kind]Kind{
	entity.ID: {false, "ID", "keys", comparing("In"), map[string][]string{
		dialect.Postgres: {"uuid"}, dialect.SQLite: {"blob", "uuid"}}},
	entity.String: {true, "String", "String, Text", comparing("In", "GT", "GTE", "LT", "LTE", "HasPrefix"), texts},
	entity.Int: {true, "Int", "Int, Int8, Int16, Int32, Uint8, Uint16", comparing("In", "GT", "GTE", "LT", "LTE"), map[string][]string{
		dialect.Postgres: {"smallint", "integer", "bigint", "int", "int2", "int4", "int8"},
		dialect.SQLite:   {"smallint", "integer", "bigint", "int", "tinyint"}}},
	entity.Bool: {false, "Boolean", "Bool", comparing(), map[string][]string{
		dialect.Postgres: {"boolean", "bool"}, dialect.SQLite: {"bool", "boolean"}}},
	entity.Time: {true, "Time", "Time", comparing("In", "GT", "GTE", "LT", "LTE"), map[string][]string{
		dialect.Postgres: {"timestamptz", "timestamp with time zone"}, dialect.SQLite: {"datetime"}}},
	entity.Enum: {true, "", "Enum", comparing("In"), texts},
}

// otherKeys holds the database types of keys that are no UUIDs.
var otherKeys = map[ids.Form]Kind{
	ids.Number: {stored: map[string][]string{
		dialect.Postgres: {"smallint", "integer", "bigint", "int", "int2", "int4", "int8", "smallserial", "serial", "bigserial"},
		dialect.SQLite:   {"smallint", "integer", "bigint", "int", "tinyint"}}},
	ids.Text: {stored: texts},
}

var texts = map[string][]string{
	dialect.Postgres: {"text", "varchar", "character varying"}, dialect.SQLite: {"text", "varchar"},
}

// comparing returns the operators that every kind has, followed by more.
func comparing(more ...string) []string { return append([]string{"", "IsNil"}, more...) }

// readableTypes lists the types in ent/schema that the engine can read.
func readableTypes() string {
	var held []string
	for of := entity.ID; of <= entity.Other; of++ {
		if k, ok := kinds[of]; ok {
			held = append(held, k.types)
		}
	}
	return strings.Join(held, ", ")
}

// operators holds what may follow a field's name in a where input. No operator means equality.
var operators = func() map[string]bool {
	all := map[string]bool{}
	for _, k := range kinds {
		for _, op := range k.operators {
			all[op] = true
		}
	}
	return all
}()

// takes reports whether a column of the database type can hold values of the kind. Sizes are
// ignored: varchar(20) counts as varchar. For a dialect that k.stored does not list, every type
// counts.
func (k Kind) takes(dialect, stored string) bool {
	name, _, _ := strings.Cut(stored, "(")
	list, known := k.stored[dialect]
	return !known || slices.Contains(list, strings.ToLower(strings.TrimSpace(name)))
}
