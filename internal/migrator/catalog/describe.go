package catalog

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"entgo.io/ent/dialect"
)

// VersionTable is the table in which a database keeps its versions. Descriptions leave it out.
const VersionTable = "goose_db_version"

// A Querier is a *sql.DB, a *sql.Conn or a *sql.Tx.
type Querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// describe says in sorted lines what the tables of a database look like: those
// of the first schema of PostgreSQL's search_path, without the table of
// versions. A line begins with a kind, a table and a name:
//
//	table heroes
//	column heroes.age integer NULL DEFAULT 18
//	check heroes.heroes_age_not_negative (age >= 0)
//	foreign-key heroes.heroes_teams_heroes (team_id) REFERENCES teams(id) ON DELETE SET NULL
//	index heroes.hero_name_id (name, id)
//
// The kinds are table, column, primary-key, unique, check, foreign-key, exclude,
// index and trigger. Two tables with the same lines are alike in all but the
// order of their columns. One query is asked, as health checks need it.
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

// DescribeAll is describe, with a line for all that stands by itself as well: a
// view, a sequence, a type, a function.
func DescribeAll(ctx context.Context, db Querier, name string) ([]string, error) {
	lines, err := Describe(ctx, db, name)
	if err != nil || name == dialect.SQLite {
		return lines, err // SQLite has only views, and describeSQLite says which
	}
	others, err := selectLines(ctx, db, postgresOthers)
	if err != nil {
		return nil, fmt.Errorf("describe the schema: %w", err)
	}
	lines = append(lines, others...)
	slices.Sort(lines)
	return lines, nil
}

// selectLines returns the one column that a query selects, each value on a line of
// its own. What is NULL has vanished while it was described.
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

// OneLine keeps apart what differs only in line breaks, such as two defaults.
func OneLine(text string) string { return breaks.Replace(text) }

// Quote returns a name in the quotes of standard SQL.
func Quote(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }
