package application

import (
	"context"
	"fmt"
	"strings"

	"entgo.io/ent/dialect"
	"github.com/lib/pq"

	"forge/internal/database"
	"forge/internal/schema"
)

// Unmigrated returns the tables and columns that ent/schema has and no migration has made in a
// database, in words such as "table tags" and "column books.pages". It returns an error if the
// database cannot be asked.
func (a Application) Unmigrated(ctx context.Context, db *database.DB) (missing []string, err error) {
	columns, err := a.columns(ctx, db)
	if err != nil {
		return nil, fmt.Errorf("compare ent/schema with the database: %w", err)
	}
	for _, t := range a.Tables {
		there := columns[strings.ToLower(nameOf(t))]
		if there == nil {
			missing = append(missing, "table "+t.Name)
			continue
		}
		for _, c := range t.Columns {
			if !there[strings.ToLower(c.Name)] {
				missing = append(missing, "column "+t.Name+"."+c.Name)
			}
		}
	}
	return missing, nil
}

// nameOf returns the name of a table in SQL.
func nameOf(t *schema.Table) string {
	if t.Schema == "" {
		return pq.QuoteIdentifier(t.Name)
	}
	return pq.QuoteIdentifier(t.Schema) + "." + pq.QuoteIdentifier(t.Name)
}

// columns returns the columns that a database has of the application's tables, by the names of the
// tables in SQL. All names are in small letters, because SQLite does not tell them from capital
// ones.
func (a Application) columns(ctx context.Context, db *database.DB) (map[string]map[string]bool, error) {
	query, args := `SELECT '"' || replace(t.name, '"', '""') || '"', c.name FROM sqlite_master t JOIN pragma_table_xinfo(t.name) c WHERE t.type = 'table'`, []any(nil)
	if db.Dialect == dialect.Postgres {
		var names []string
		for _, t := range a.Tables {
			names = append(names, nameOf(t))
		}
		query, args = `SELECT name, attname FROM unnest($1::text[]) name JOIN pg_attribute ON attrelid = to_regclass(name)
			WHERE attnum > 0 AND NOT attisdropped`, []any{pq.Array(names)}
	}
	rows, err := db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	columns := map[string]map[string]bool{}
	for rows.Next() {
		var table, column string
		if err := rows.Scan(&table, &column); err != nil {
			return nil, err
		}
		table = strings.ToLower(table)
		if columns[table] == nil {
			columns[table] = map[string]bool{}
		}
		columns[table][strings.ToLower(column)] = true
	}
	return columns, rows.Err()
}
