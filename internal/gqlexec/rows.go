package gqlexec

import (
	"context"
	"database/sql"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"forge/internal/database"
	"forge/internal/entity"
	"forge/internal/ids"
	"forge/internal/schema"
	"forge/internal/unit"
)

// rows finds the names that tables, columns and rows have in the API.
type rows struct {
	entities []*entity.Entity
	tables   []*schema.Table
}

// byTable returns the entity that a table stores, or nil.
func (r rows) byTable(table string) *entity.Entity {
	i := slices.IndexFunc(r.entities, func(e *entity.Entity) bool { return e.Table == table })
	if i < 0 {
		return nil
	}
	return r.entities[i]
}

// prefixOf returns the prefix of an entity's IDs, or "" if there is no such entity.
func (r rows) prefixOf(name string) string {
	for _, e := range r.entities {
		if e.Name == name {
			return e.Prefix
		}
	}
	return ""
}

// formOf returns the form of the keys in IDs with the prefix.
func (r rows) formOf(prefix string) ids.Form {
	for _, e := range r.entities {
		if e.Prefix == prefix {
			return e.Keys
		}
	}
	return ids.UUID
}

// tableOf returns the table of the entity that an ID belongs to, or "" if the ID's prefix is
// unknown.
func (r rows) tableOf(id ids.ID) string {
	for _, e := range r.entities {
		if e.Prefix == id.Prefix {
			return e.Table
		}
	}
	return ""
}

// absent reports whether no row has the ID. It is for SQLite alone: on PostgreSQL, no query can
// follow a failed statement in the same transaction.
func (r rows) absent(ctx context.Context, id ids.ID) bool {
	there, err := exists(ctx, r.tableOf(id), "id", id.Value())
	return err == nil && !there
}

// referringTable returns a table with a row that refers to the row of an ID and keeps it from being
// removed. It returns "" if it finds none. It is for SQLite alone.
func (r rows) referringTable(ctx context.Context, id ids.ID) (table string) {
	u := unit.FromContext(ctx)
	type end struct{ table, column string }
	var ends []end
	err := u.Rows(ctx, func(rows *sql.Rows) error {
		for rows.Next() {
			var e end
			if err := rows.Scan(&e.table, &e.column); err != nil {
				return err
			}
			ends = append(ends, e)
		}
		return nil
	}, `SELECT t.name, f."from" FROM sqlite_master AS t, pragma_foreign_key_list(t.name) AS f WHERE t.type = 'table' AND f."table" = ? `+
		`AND f.on_delete IN ('NO ACTION', 'RESTRICT') ORDER BY 1, 2`, r.tableOf(id))
	if err != nil {
		return ""
	}
	for _, e := range ends {
		if there, err := exists(ctx, e.table, e.column, id.Value()); there && err == nil {
			return e.table
		}
	}
	return ""
}

// atFault returns which of several rows that were to be removed others refer to, and the table of
// these. PostgreSQL reports the key. On SQLite, each row is looked up, up to a hundred. The table
// is "" if none is found.
func (r rows) atFault(ctx context.Context, list []ids.ID, v database.ConstraintError) (id ids.ID, table string) {
	for i, id := range list {
		switch {
		case v.Table != "" && fmt.Sprint(id.Value()) == v.Value:
			return id, v.Table
		case v.Table == "" && i < 100:
			if table := r.referringTable(ctx, id); table != "" {
				return id, table
			}
		}
	}
	return id, ""
}

func exists(ctx context.Context, table, column string, key any) (there bool, err error) {
	err = unit.FromContext(ctx).Rows(ctx, func(rows *sql.Rows) error {
		there = rows.Next()
		return nil
	}, "SELECT 1 FROM "+quote(table)+" WHERE "+quote(column)+" = ? LIMIT 1", key)
	return there, err
}

func quote(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// columnsOf returns the columns of a violated constraint. For a CHECK constraint, these are the
// columns in its condition. Of one that ent/schema does not have, SQLite reports the condition, or a
// name that may be that of a column.
func (r rows) columnsOf(v database.ConstraintError) []string {
	if v.Rule != database.Check || len(v.Columns) > 0 {
		return v.Columns
	}
	for _, table := range r.tables {
		if table.Annotation != nil && table.Annotation.Checks[v.Name] != "" {
			return columnsIn(table.Annotation.Checks[v.Name], table)
		}
	}
	return columnsIn(v.Name, r.tables...)
}

// columnsIn returns the words of a condition that are columns of the tables.
func columnsIn(condition string, tables ...*schema.Table) (columns []string) {
	for _, word := range word.FindAllString(condition, -1) {
		is := func(t *schema.Table) bool { return t.HasColumn(word) }
		if slices.ContainsFunc(tables, is) && !slices.Contains(columns, word) {
			columns = append(columns, word)
		}
	}
	return columns
}

var word = regexp.MustCompile(`\w+`)

// nameOf returns the name that a column has in the API, and whether the API shows the column to
// anybody.
func (r rows) nameOf(table, column string) (name string, shown bool) {
	if e := r.byTable(table); e != nil {
		for _, is := range []func(entity.Field) bool{
			func(f entity.Field) bool { return f.MatchBy == column }, // not shown itself
			func(f entity.Field) bool { return f.Column == column },
		} {
			if i := slices.IndexFunc(e.Fields, is); i >= 0 {
				name = e.Fields[i].Name
				return name, e.Visible[name] != entity.ToNobody
			}
		}
		for _, edge := range e.Edges { // whose key is no field
			if edge.OwnKey && edge.Column == column {
				return edge.Name + "Id", e.Visible[edge.Name] != entity.ToNobody
			}
		}
	}
	words := strings.Split(column, "_")
	for i, word := range words[1:] {
		if word != "" {
			words[i+1] = strings.ToUpper(word[:1]) + word[1:]
		}
	}
	return strings.Join(words, ""), false
}

// edgeOf returns the name of the edge that a column holds the key of, or "".
func (r rows) edgeOf(table, column string) string {
	if e := r.byTable(table); e != nil {
		for _, edge := range e.Edges {
			if edge.OwnKey && edge.Column == column {
				return edge.Name
			}
		}
	}
	return ""
}
