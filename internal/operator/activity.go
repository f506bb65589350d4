package operator

import (
	"context"
	"time"

	"entgo.io/ent/dialect"
)

// Activity is what a database is doing.
type Activity struct {
	SizeBytes float64
	Sessions  []Session // of PostgreSQL, the busy ones first
}

// Session is a connection to PostgreSQL.
type Session struct {
	Application string
	State       string
	Since       *time.Time // when the state began
	Transaction *time.Time // when its transaction began
	WaitsFor    *string    // such as Lock: transactionid
	BlockedBy   int32      // sessions whose locks it waits for
	Statement   string     // the last one, without values
}

// activityQuery reads at most 50 sessions of this database. The texts of statements have values
// where somebody has written them into the text; see shape.
const activityQuery = `SELECT left(application_name, 64), COALESCE(state, ''), state_change, xact_start,
	CASE WHEN state <> 'idle' THEN wait_event_type || ': ' || wait_event END, cardinality(pg_blocking_pids(pid)), COALESCE(query, '')
	FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
	ORDER BY state = 'active' DESC, xact_start NULLS LAST, state_change LIMIT 50`

func (o *Operator) readActivity(ctx context.Context) (*Activity, error) {
	db, a := o.options.Monitor, &Activity{Sessions: []Session{}}
	if db.Dialect == dialect.SQLite {
		err := db.QueryRowContext(ctx, "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size").Scan(&a.SizeBytes)
		return a, err
	}
	if err := db.QueryRowContext(ctx, "SELECT pg_database_size(current_database())").Scan(&a.SizeBytes); err != nil {
		return nil, err
	}
	rows, err := db.QueryContext(ctx, activityQuery)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var s Session
		if err := rows.Scan(&s.Application, &s.State, &s.Since, &s.Transaction, &s.WaitsFor, &s.BlockedBy, &s.Statement); err != nil {
			return nil, err
		}
		s.Statement = shape(s.Statement)
		a.Sessions = append(a.Sessions, s)
	}
	return a, rows.Err()
}
