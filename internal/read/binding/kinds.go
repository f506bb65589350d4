package binding

import (
	"slices"
	"strings"

	"entgo.io/ent/dialect"

	"forge/internal/entity"
)

// Kind says how the engine handles the columns of one kind.
type Kind struct {
	Orders    bool     // pages can be ordered by them
	scalar    string   // the GraphQL type that shows them; "" for an enum of the schema
	types     string   // the types of ent/schema that they have, for people
	operators []string // that a where input may compare them with
	// stored lists the types in the database, by dialect, that bring and take such values.
	stored map[string][]string
}

// KindOf returns how the columns of a kind are handled. It returns false if the engine cannot read
// them.
func KindOf(of entity.Kind) (Kind, bool) {
	k, ok := kinds[of]
	return k, ok
}

// kinds are those that the engine can read. A schema that shows a column of another kind does not
// start. Whoever adds a kind gives it a row here, an output in package plan, a form in package
// encode, an argument in package sql and, if it orders, a value in package rows.
var kinds = map[entity.Kind]Kind{
	entity.ID: {false, "ID", "UUID (keys)", comparing("In"), map[string][]string{
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

var texts = map[string][]string{
	dialect.Postgres: {"text", "varchar", "character varying"}, dialect.SQLite: {"text", "varchar"},
}

// comparing returns the operators that every kind has, and more.
func comparing(more ...string) []string { return append([]string{"", "IsNil"}, more...) }

// readableTypes lists the types of ent/schema that the engine can read.
func readableTypes() string {
	var held []string
	for of := entity.ID; of <= entity.Other; of++ {
		if k, ok := kinds[of]; ok {
			held = append(held, k.types)
		}
	}
	return strings.Join(held, ", ")
}

// operators are the endings of a field's name in a where input. No ending means equality.
var operators = func() map[string]bool {
	all := map[string]bool{}
	for _, k := range kinds {
		for _, op := range k.operators {
			all[op] = true
		}
	}
	return all
}()

// takes reports whether a column of the database type can hold values of the kind. A size is
// ignored: varchar(20) counts as varchar. If nothing is known of the dialect, every type will do.
func (k Kind) takes(dialect, stored string) bool {
	name, _, _ := strings.Cut(stored, "(")
	list, known := k.stored[dialect]
	return !known || slices.Contains(list, strings.ToLower(strings.TrimSpace(name)))
}
