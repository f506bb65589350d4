package doctor

import (
	"context"
	"fmt"

	"entgo.io/ent/dialect"

	"forge/internal/database"
	"forge/internal/settings"
)

// connections asks for the limits of connections, and counts the connections of other programs. A
// role cannot see all columns of other roles' sessions, but it can see datname and usesysid. Only
// sessions of clients have the two.
const connections = `SELECT current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
		- coalesce(current_setting('reserved_connections', true)::int, 0),
	(SELECT datconnlimit FROM pg_database WHERE datname = current_database()),
	(SELECT rolconnlimit FROM pg_roles WHERE rolname = current_user),
	count(*) FILTER (WHERE datname IS DISTINCT FROM current_database() OR application_name NOT IN (current_setting('application_name'),
		current_setting('application_name') || ' beside', current_setting('application_name') || ' listens', current_setting('application_name') || ' watches'))
FROM pg_stat_activity WHERE datid IS NOT NULL AND usesysid IS NOT NULL`

// beside is how many connections a process has besides those of its pool: those of the monitoring
// pool, and the one that listens for changes.
const beside = database.MonitorPoolSize + 1

// pool compares the number of connections that all processes may open with the number that the
// server allows.
func (d *Doctor) pool(ctx context.Context, db *database.DB) []Finding {
	if db.Dialect != dialect.Postgres {
		return nil
	}
	size := d.config.Pool.PoolSize
	if db.Options.PgBouncer { // nothing listens there
		return []Finding{ok("pool", "%d connections to PgBouncer at most, whose own limits are not examined", (size+database.MonitorPoolSize)*d.processes)}
	}
	beside := beside
	if d.config.Reads != settings.ReadsPrimary {
		beside++ // the one that watches where the primary is
	}
	need := (size + beside) * d.processes
	var available, ofDatabase, ofRole, others int
	if err := db.QueryRowContext(ctx, connections).Scan(&available, &ofDatabase, &ofRole, &others); err != nil {
		return []Finding{fail("pool", err.Error(), "")}
	}
	for _, limit := range []int{ofDatabase, ofRole} {
		if limit >= 0 { // -1 stands for no limit
			available = min(available, limit)
		}
	}
	wants := fmt.Sprintf("%s of POOL_SIZE=%d, and %d beside requests, may take %d connections", processes(d.processes), size, beside, need)
	advice := "Run fewer processes, raise max_connections, or put PgBouncer between: not even POOL_SIZE=1 fits."
	if fits := (available-others)/d.processes - beside; fits > 0 {
		advice = fmt.Sprintf("Set POOL_SIZE to %d at most, run fewer processes, raise max_connections, or put PgBouncer between.", fits)
	}
	switch {
	case need > available:
		return []Finding{fail("pool", fmt.Sprintf("%s, and the server has %d for this role", wants, available), advice)}
	case need+others > available:
		return []Finding{warn("pool", fmt.Sprintf("%s, and the server has %d for this role, of which others hold %d now", wants, available, others), advice)}
	}
	return []Finding{ok("pool", "%s; the server has %d for this role, of which others hold %d now", wants, available, others)}
}

func processes(n int) string {
	if n == 1 {
		return "1 process"
	}
	return fmt.Sprintf("%d processes", n)
}
