package dev

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"ariga.io/atlas/sql/postgres"
	atlas "ariga.io/atlas/sql/schema"
	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
	"entgo.io/ent/dialect/sql/schema"
	"entgo.io/ent/schema/field"
)

// desired translates ent's tables into Atlas's description of them. It reads the version of
// PostgreSQL from db.
func desired(ctx context.Context, db *sql.DB, name string, tables []*schema.Table) ([]*atlas.Table, error) {
	tables, err := schema.CopyTables(tables) // the whole program shares ent's own
	if err != nil {
		return nil, err
	}
	if name == dialect.Postgres {
		orderTextByBytes(tables)
	}
	ent, err := schema.NewMigrate(entsql.OpenDB(name, db), schema.WithForeignKeys(true))
	if err != nil {
		return nil, err
	}
	realm, err := ent.StateReader(tables...).ReadState(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the ent schema: %w", err)
	}
	var all []*atlas.Table
	for _, s := range realm.Schemas {
		all = append(all, s.Tables...)
	}
	wrapChecks(all)
	if name == dialect.Postgres {
		putNullsLast(all)
	}
	return all, nil
}

// orderTextByBytes gives every text column the collation "C". SQLite orders text by its bytes.
// PostgreSQL would order it by the rules of a language: pages and cursors would differ between
// the two databases, and an upgrade of the system's language rules could corrupt an index.
func orderTextByBytes(tables []*schema.Table) {
	for _, t := range tables {
		for _, c := range t.Columns {
			_, other := c.SchemaType[dialect.Postgres]
			if (c.Type == field.TypeString || c.Type == field.TypeEnum) && c.Collation == "" && !other {
				c.Collation = "C"
			}
		}
	}
}

// wrapChecks puts parentheses around conditions that begin with one. Atlas takes "(a IS NULL) =
// (b IS NULL)" for a condition that has its parentheses already.
func wrapChecks(tables []*atlas.Table) {
	for _, t := range tables {
		for _, check := range t.Checks() {
			if strings.HasPrefix(check.Expr, "(") {
				check.Expr = "(" + check.Expr + ")"
			}
		}
	}
}

// putNullsLast puts NULLs at the end of descending indexes. PostgreSQL puts them first there by
// default, but the API has them last in both directions, and an index only serves its own order.
// SQLite puts NULLs last in descending indexes and has no words for it.
func putNullsLast(tables []*atlas.Table) {
	for _, t := range tables {
		for _, index := range t.Indexes {
			for _, part := range index.Parts {
				if part.Desc && part.C != nil && part.C.Type.Null {
					part.AddAttrs(&postgres.IndexColumnProperty{NullsLast: true})
				}
			}
		}
	}
}
