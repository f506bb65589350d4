// Package catalog describes the tables of a PostgreSQL or SQLite database in lines of text, which
// can be stored and compared.
package catalog

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"entgo.io/ent/dialect"
)

// VersionTable is the table in which a database records its versions. Descriptions leave it out.
const VersionTable = "goose_db_version"

// A Querier is a *sql.DB, a *sql.Conn or a *sql.Tx.
type Querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// Describe returns sorted lines of text that describe the tables of a database. On PostgreSQL,
// these are the tables of the first schema in search_path. The table of versions is left out. A
// line begins with a kind, a table and a name:
//
//	table tasks
//	column tasks.age integer NULL DEFAULT 18
//	check tasks.tasks_age_not_negative (age >= 0)
//	foreign-key tasks.tasks_lists_tasks (list_id) REFERENCES lists(id) ON DELETE SET NULL
//	index tasks.task_name_id (name, id)
//
// The kinds are table, column, primary-key, unique, check, foreign-key, exclude, index and
// trigger. Two tables with the same lines differ at most in the order of their columns. Describe
// sends one query, since health checks call it.
func Describe(ctx context.Context, db Querier, name string) ([]string, error) {
	lines, err := describeTablesOf[name](ctx, db)
	if err != nil {
		return nil, fmt.Errorf("describe the schema: %w", err)
	}
	slices.Sort(lines)
	return lines, nil
}

var describeTablesOf = map[string]func(context.Context, Querier) ([]string, error){
	dialect.Postgres: func(ctx context.Context, db Querier) ([]string, error) { return selectLines(ctx, db, postgresTables) },
	dialect.SQLite:   describeSQLite,
}

// DescribeAll does the same as Describe, and adds lines for views, sequences, types and functions.
func DescribeAll(ctx context.Context, db Querier, name string) ([]string, error) {
	lines, err := Describe(ctx, db, name)
	if err != nil || name == dialect.SQLite {
		// describeSQLite returns views as well, and SQLite has no other objects.
		return lines, err
	}
	others, err := selectLines(ctx, db, postgresOthers)
	if err != nil {
		return nil, fmt.Errorf("describe the schema: %w", err)
	}
	lines = append(lines, others...)
	slices.Sort(lines)
	return lines, nil
}

// selectLines runs a query with one column, and returns each value as a line. It skips NULL: a
// value is NULL if the object was dropped while the query ran.
func selectLines(ctx context.Context, db Querier, query string) (lines []string, err error) {
	rows, err := db.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var text *string
		if err := rows.Scan(&text); err != nil {
			return nil, err
		}
		if text != nil {
			lines = append(lines, OneLine(*text))
		}
	}
	return lines, rows.Err()
}

var breaks = strings.NewReplacer("\r", `\r`, "\n", `\n`)

// OneLine returns text with its line breaks escaped. Two defaults that differ only in line breaks
// thus remain different.
func OneLine(text string) string { return breaks.Replace(text) }

// Quote returns a name in the quotes of standard SQL.
func Quote(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }
