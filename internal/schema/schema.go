// Package schema describes tables as ent/schema declares them. Its types have the fields of the
// types in entgo.io/ent/dialect/sql/schema. That package plans migrations as well, and would bring
// Atlas and HCL into each server.
package schema

import (
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema/field"
)

// Table is a table.
type Table struct {
	Name        string
	Schema      string // of PostgreSQL; "" is the one of the search path
	Columns     []*Column
	Indexes     []*Index
	PrimaryKey  []*Column
	ForeignKeys []*ForeignKey
	Annotation  *entsql.Annotation
	Comment     string
	View        bool
}

// Column returns the column with a name, and false if there is none.
func (t *Table) Column(name string) (*Column, bool) {
	for _, c := range t.Columns {
		if c.Name == name {
			return c, true
		}
	}
	return nil, false
}

// HasColumn reports whether there is a column with a name.
func (t *Table) HasColumn(name string) bool {
	_, ok := t.Column(name)
	return ok
}

// Column is a column of a table.
type Column struct {
	Name       string
	Type       field.Type
	SchemaType map[string]string // the type in the database, by dialect; others follow from Type
	Attr       string
	Size       int64
	Key        string
	Unique     bool
	Increment  bool
	Nullable   bool
	Default    any
	Enums      []string
	Collation  string
	Comment    string
}

// Expr is a default that is an expression and not a value.
type Expr string

// ForeignKey is a foreign key of a table.
type ForeignKey struct {
	Symbol     string // its name
	Columns    []*Column
	RefTable   *Table
	RefColumns []*Column
	OnUpdate   ReferenceOption
	OnDelete   ReferenceOption
}

// ReferenceOption says what becomes of rows that refer to a row that changes or goes.
type ReferenceOption string

// These are the reference options of SQL.
const (
	NoAction   ReferenceOption = "NO ACTION"
	Restrict   ReferenceOption = "RESTRICT"
	Cascade    ReferenceOption = "CASCADE"
	SetNull    ReferenceOption = "SET NULL"
	SetDefault ReferenceOption = "SET DEFAULT"
)

// Index is an index of a table.
type Index struct {
	Name       string
	Unique     bool
	Columns    []*Column
	Annotation *entsql.IndexAnnotation
}
