// Package schema holds the entities of a shop for digital music, like those of the sample database
// Chinook. They are not like the demo's: keys are numbers, no row has times or a version, one table
// refers to itself, and two others are joined by a table.
package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/mixin"
	"github.com/shopspring/decimal"

	"forge/internal/entity"
	"forge/internal/rule"
)

// Open is what all entities have: a key, and a policy by which everybody may read, and nobody
// but administrators may write.
type Open struct {
	mixin.Schema
	Prefix   string
	Shown    []string // the API's fields, beside id
	Unites   map[string][]string
	Computed map[string]entity.Computed
	Search   []string // the fields that are searched
}

// Fields returns the key.
func (Open) Fields() []ent.Field { return []ent.Field{key("id")} }

// Annotations returns the prefix of IDs, what everybody may see, what is searched, and the fields that are neither
// columns nor edges.
func (o Open) Annotations() []schema.Annotation {
	return []schema.Annotation{entity.Annotation{
		Prefix: o.Prefix, ShownToAll: append([]string{"id"}, o.Shown...), Unites: o.Unites, Computed: o.Computed, Search: o.Search,
	}}
}

// Policy says who may read and write.
func (Open) Policy() ent.Policy {
	return rule.Policy{Read: rule.Everyone, Create: rule.Admins, Update: rule.Admins, Delete: rule.Admins}
}

// price returns a column with an amount of money.
func price(name string) ent.Field {
	return field.Other(name, decimal.Decimal{}).SchemaType(map[string]string{dialect.Postgres: "numeric(10,2)", dialect.SQLite: "text"})
}

// date is the type of columns with a day.
var date = map[string]string{dialect.Postgres: "date", dialect.SQLite: "date"}

// key returns a column with the key of a row.
func key(name string) ent.Field { return field.Int(name) }

// maybeKey is like key, for a column that may be NULL.
func maybeKey(name string) ent.Field { return field.Int(name).Optional().Nillable() }
