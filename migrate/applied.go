package migrate

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"entgo.io/ent/dialect"
)

// versionTable is where goose keeps the versions that a database has.
const versionTable = "goose_db_version"

// An application is the fact that a database has a version.
type application struct {
	number int64
	at     time.Time
}

// querier is a *sql.DB or a *sql.Conn.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// applied lists the versions that a database has, oldest first. It only reads,
// so a database that was never migrated has none and stays untouched.
func applied(ctx context.Context, db querier, name string) ([]application, error) {
	exists := "SELECT to_regclass('" + versionTable + "') IS NOT NULL"
	if name == dialect.SQLite {
		exists = "SELECT count(*) > 0 FROM sqlite_master WHERE type = 'table' AND name = '" + versionTable + "'"
	}
	var found bool
	if err := db.QueryRowContext(ctx, exists).Scan(&found); err != nil {
		return nil, fmt.Errorf("look for the table %s: %w", versionTable, err)
	}
	if !found {
		return nil, nil
	}
	// goose marks the creation of the table itself as version 0.
	rows, err := db.QueryContext(ctx, "SELECT version_id, tstamp FROM "+versionTable+
		" WHERE is_applied AND version_id > 0 ORDER BY version_id")
	if err != nil {
		return nil, fmt.Errorf("read the applied versions: %w", err)
	}
	defer rows.Close()
	var all []application
	for rows.Next() {
		var a application
		if err := rows.Scan(&a.number, &a.at); err != nil {
			return nil, fmt.Errorf("read the applied versions: %w", err)
		}
		all = append(all, a)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read the applied versions: %w", err)
	}
	return all, nil
}
