package database

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"entgo.io/ent/dialect"
)

const activity = `SELECT COALESCE(state, 'unknown'), count(*), COALESCE(wait_event_type = 'Lock', false),
	EXTRACT(epoch FROM max(clock_timestamp() - xact_start))
FROM pg_stat_activity
WHERE datname = current_database() AND application_name = current_setting('application_name') AND pid <> pg_backend_pid()
GROUP BY 1, 3 ORDER BY 4 DESC NULLS LAST, 1`

// Activity writes the sessions of this program on PostgreSQL, by state: how many there are, whether they wait for a lock, and how old the
// oldest transaction among them is. SQLite has no sessions.
func (db *DB) Activity(ctx context.Context, w io.Writer) error {
	if db.Dialect != dialect.Postgres {
		return errors.New("SQLite has no sessions to show: this is for PostgreSQL")
	}
	rows, err := db.QueryContext(ctx, activity)
	if err != nil {
		return err
	}
	defer rows.Close()
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "STATE\tSESSIONS\tWAITING FOR A LOCK\tOLDEST TRANSACTION")
	for rows.Next() {
		var state string
		var sessions int
		var waiting bool
		var seconds sql.NullFloat64
		if err := rows.Scan(&state, &sessions, &waiting, &seconds); err != nil {
			return err
		}
		oldest := "-"
		if seconds.Valid {
			oldest = (time.Duration(seconds.Float64*1000) * time.Millisecond).String()
		}
		fmt.Fprintf(table, "%s\t%d\t%t\t%s\n", state, sessions, waiting, oldest)
	}
	if err := rows.Err(); err != nil {
		return err
	}
	return table.Flush()
}
