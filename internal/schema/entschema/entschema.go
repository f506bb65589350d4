// Package entschema converts tables between package schema and ent's package, which plans
// migrations. A server does not import it.
package entschema

import (
	"context"
	"maps"

	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/entsql"
	ent "entgo.io/ent/dialect/sql/schema"

	"forge/internal/schema"
)

// Create creates tables in an empty database.
func Create(ctx context.Context, driver dialect.Driver, tables []*schema.Table) error {
	migrate, err := ent.NewMigrate(driver)
	if err != nil {
		return err
	}
	return migrate.Create(ctx, ToEnt(tables)...)
}

// Copy returns copies of tables that may be changed.
func Copy(tables []*schema.Table) []*schema.Table { return FromEnt(ToEnt(tables)) }

// ToEnt returns the tables as ent describes them. They share only what is never changed in its
// place: types, values of defaults, and annotations of indexes.
func ToEnt(tables []*schema.Table) []*ent.Table {
	all := make([]*ent.Table, len(tables))
	table, column := map[*schema.Table]*ent.Table{}, map[*schema.Column]*ent.Column{}
	columns := func(of []*schema.Column) (to []*ent.Column) {
		for _, c := range of {
			to = append(to, column[c])
		}
		return to
	}
	for i, t := range tables {
		to := &ent.Table{Name: t.Name, Schema: t.Schema, Annotation: annotation(t.Annotation), Comment: t.Comment, View: t.View}
		all[i], table[t] = to, to
		for _, c := range t.Columns {
			column[c] = &ent.Column{Name: c.Name, Type: c.Type, SchemaType: c.SchemaType, Attr: c.Attr, Size: c.Size, Key: c.Key, Unique: c.Unique,
				Increment: c.Increment, Nullable: c.Nullable, Default: toEnt(c.Default), Enums: c.Enums, Collation: c.Collation, Comment: c.Comment}
		}
		to.Columns, to.PrimaryKey = columns(t.Columns), columns(t.PrimaryKey)
		for _, x := range t.Indexes {
			to.Indexes = append(to.Indexes, &ent.Index{Name: x.Name, Unique: x.Unique, Columns: columns(x.Columns), Annotation: x.Annotation})
		}
	}
	for _, t := range tables {
		for _, k := range t.ForeignKeys {
			table[t].ForeignKeys = append(table[t].ForeignKeys, &ent.ForeignKey{Symbol: k.Symbol, Columns: columns(k.Columns), RefTable: table[k.RefTable],
				RefColumns: columns(k.RefColumns), OnUpdate: ent.ReferenceOption(k.OnUpdate), OnDelete: ent.ReferenceOption(k.OnDelete)})
		}
	}
	return all
}

// FromEnt is the reverse of ToEnt.
func FromEnt(tables []*ent.Table) []*schema.Table {
	all := make([]*schema.Table, len(tables))
	table, column := map[*ent.Table]*schema.Table{}, map[*ent.Column]*schema.Column{}
	columns := func(of []*ent.Column) (from []*schema.Column) {
		for _, c := range of {
			from = append(from, column[c])
		}
		return from
	}
	for i, t := range tables {
		from := &schema.Table{Name: t.Name, Schema: t.Schema, Annotation: annotation(t.Annotation), Comment: t.Comment, View: t.View}
		all[i], table[t] = from, from
		for _, c := range t.Columns {
			column[c] = &schema.Column{Name: c.Name, Type: c.Type, SchemaType: c.SchemaType, Attr: c.Attr, Size: c.Size, Key: c.Key, Unique: c.Unique,
				Increment: c.Increment, Nullable: c.Nullable, Default: fromEnt(c.Default), Enums: c.Enums, Collation: c.Collation, Comment: c.Comment}
		}
		from.Columns, from.PrimaryKey = columns(t.Columns), columns(t.PrimaryKey)
		for _, x := range t.Indexes {
			from.Indexes = append(from.Indexes, &schema.Index{Name: x.Name, Unique: x.Unique, Columns: columns(x.Columns), Annotation: x.Annotation})
		}
	}
	for _, t := range tables {
		for _, k := range t.ForeignKeys {
			table[t].ForeignKeys = append(table[t].ForeignKeys, &schema.ForeignKey{Symbol: k.Symbol, Columns: columns(k.Columns), RefTable: table[k.RefTable],
				RefColumns: columns(k.RefColumns), OnUpdate: schema.ReferenceOption(k.OnUpdate), OnDelete: schema.ReferenceOption(k.OnDelete)})
		}
	}
	return all
}

// annotation returns a copy, with CHECKs of its own.
func annotation(a *entsql.Annotation) *entsql.Annotation {
	if a == nil {
		return nil
	}
	to := *a
	to.Checks = maps.Clone(a.Checks)
	return &to
}

// toEnt returns a default as ent has it: an expression, one for each dialect, or a value.
func toEnt(value any) any {
	switch v := value.(type) {
	case schema.Expr:
		return ent.Expr(v)
	case map[string]schema.Expr:
		all := map[string]ent.Expr{}
		for name, e := range v {
			all[name] = ent.Expr(e)
		}
		return all
	}
	return value
}

// fromEnt is the reverse of toEnt.
func fromEnt(value any) any {
	switch v := value.(type) {
	case ent.Expr:
		return schema.Expr(v)
	case map[string]ent.Expr:
		all := map[string]schema.Expr{}
		for name, e := range v {
			all[name] = schema.Expr(e)
		}
		return all
	}
	return value
}
