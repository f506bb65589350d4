package dev

import (
	"context"
	"database/sql"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"ariga.io/atlas/sql/postgres"
	atlas "ariga.io/atlas/sql/schema"
	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
	"entgo.io/ent/dialect/sql/schema"
	"entgo.io/ent/schema/field"

	forge "forge/internal/schema"
	"forge/internal/schema/entschema"
)

// desired returns ent's tables as Atlas describes them. db is only asked for its version of
// PostgreSQL.
func desired(ctx context.Context, db *sql.DB, name string, shared []*forge.Table) ([]*atlas.Table, error) {
	tables := entschema.ToEnt(shared)
	indexJoinTables(tables)
	withPlainTypes(tables)
	if name == dialect.Postgres {
		orderTextByBytes(tables)
	} else {
		leaveOutSpecial(tables)
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
	} else {
		compareAsNumbers(all, tables)
	}
	return all, nil
}

// withPlainTypes takes other types where a column has one that only databases have which Forge has
// not made: enums of PostgreSQL become varchar, and citext becomes text.
func withPlainTypes(tables []*schema.Table) {
	for _, t := range tables {
		for _, c := range t.Columns {
			switch stored := c.SchemaType[dialect.Postgres]; {
			case stored == "citext":
				c.SchemaType = map[string]string{dialect.Postgres: "text"}
			case c.Type == field.TypeEnum && stored != "" && !strings.HasPrefix(stored, "varchar") && stored != "text":
				c.SchemaType = nil
			}
		}
	}
}

// indexJoinTables adds an index to each table that only joins two others. Its primary key serves
// the edge from the first one, and the index serves the edge back.
func indexJoinTables(tables []*schema.Table) {
	for _, t := range tables {
		if len(t.Columns) != 2 || len(t.PrimaryKey) != 2 || len(t.ForeignKeys) != 2 {
			continue
		}
		first, second := t.PrimaryKey[0], t.PrimaryKey[1]
		name := t.Name + "_" + second.Name
		t.Indexes = append(t.Indexes, &schema.Index{Name: name[:min(len(name), longestName)], Columns: []*schema.Column{second, first}})
	}
}

// leaveOutSpecial removes the indexes whose type ent/schema names for PostgreSQL alone, such as GIN
// over trigrams: SQLite has no such index, and a plain one would serve nothing that it is for.
func leaveOutSpecial(tables []*schema.Table) {
	for _, t := range tables {
		t.Indexes = slices.DeleteFunc(slices.Clone(t.Indexes), func(i *schema.Index) bool {
			return i.Annotation != nil && i.Annotation.Types[dialect.Postgres] != "" && i.Annotation.Types[dialect.SQLite] == ""
		})
	}
}

// trigrams is the extension of PostgreSQL with the operators of indexes over trigrams.
const trigrams = "pg_trgm"

// longestName is how many bytes of a name PostgreSQL keeps.
const longestName = 63

// orderTextByBytes gives all text columns the collation "C", which orders texts by their bytes as
// SQLite does. PostgreSQL would order them by the rules of a language. Pages and cursors would then
// differ between the two databases, and an upgrade of the system's language rules could corrupt an
// index.
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

// wrapChecks puts parentheses around conditions that begin with a parenthesis. Atlas would
// otherwise take "(a IS NULL) = (b IS NULL)" for a condition that is already in parentheses.
func wrapChecks(tables []*atlas.Table) {
	for _, t := range tables {
		for _, check := range t.Checks() {
			if strings.HasPrefix(check.Expr, "(") {
				check.Expr = "(" + check.Expr + ")"
			}
		}
	}
}

// compareAsNumbers lets SQLite's checks compare decimal numbers that are stored as texts as
// PostgreSQL does. Otherwise, "price <= 100" would refuse the text 20.00, which sorts after 100.
func compareAsNumbers(all []*atlas.Table, tables []*schema.Table) {
	decimals := make(map[string][]string) // the columns by their tables
	for _, t := range tables {
		for _, c := range t.Columns {
			if isDecimalText(c) {
				decimals[t.Name] = append(decimals[t.Name], c.Name)
			}
		}
	}
	for _, t := range all {
		for _, check := range t.Checks() {
			check.Expr = word.ReplaceAllStringFunc(check.Expr, func(word string) string {
				if slices.ContainsFunc(decimals[t.Name], func(c string) bool { return strings.EqualFold(c, strings.Trim(word, `"`)) }) {
					return "CAST(" + word + " AS NUMERIC)"
				}
				return word
			})
		}
	}
}

// word matches a word or a text of a condition. The name of a function has a parenthesis.
var word = regexp.MustCompile(`'(?:[^']|'')*'|"[^"]*"|\w+(?:\s*\()?`)

// isDecimalText reports whether a column is a number on PostgreSQL, and a text on SQLite.
func isDecimalText(c *schema.Column) bool {
	onPostgres := strings.ToLower(c.SchemaType[dialect.Postgres])
	return strings.EqualFold(c.SchemaType[dialect.SQLite], "text") && (strings.HasPrefix(onPostgres, "numeric") || strings.HasPrefix(onPostgres, "decimal"))
}

// putNullsLast puts NULLs last in descending indexes. PostgreSQL puts them first by default, but
// the API has them last in both directions, and an index only helps with its own order. SQLite
// always puts them last, and has no syntax for it.
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
