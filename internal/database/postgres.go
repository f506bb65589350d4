package database

import (
	"cmp"
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"text/tabwriter"
	"time"

	"entgo.io/ent/dialect"
	"github.com/lib/pq"

	"forge/internal/database/pgwire"
)

func (db *DB) openPostgres(dsn string) error {
	u, err := ParseAddress(dsn)
	if err != nil {
		return err
	}
	q := u.Query()
	switch q.Get("pgbouncer") {
	case "":
	case "on", "true", "1":
		db.Options.PgBouncer = true
	default:
		return errors.New("the postgres:// address: pgbouncer is on, or is left out")
	}
	q.Del("pgbouncer")
	if commit := q.Get("synchronous_commit"); db.Options.Synced && !slices.Contains([]string{"", "on", "remote_apply"}, commit) {
		return fmt.Errorf("the postgres:// address sets synchronous_commit=%s: with DURABILITY=synced, it is on or remote_apply, or is left out", commit)
	}
	db.Options.startup(q)
	dialer := pgwire.NewDialer(db.Options.roundTrip(q), db.Options.timeouts)
	c, err := db.connector(u, q, dialer)
	if err != nil {
		return err
	}
	db.Dialect = dialect.Postgres
	db.DB = sql.OpenDB(&gate{Connector: c})
	dialer.OnLost(func() {
		if h, several := c.(*hosts); several {
			h.settled.Store(false)
		}
		db.connectionsLost()
	})
	return nil
}

// connector returns what opens connections with the parameters q: to the one host of the address,
// or to the one of several that can be written.
func (db *DB) connector(u *url.URL, q url.Values, dialer *pgwire.Dialer) (driver.Connector, error) {
	each, err := perHost(q)
	if err != nil {
		return nil, err
	}
	if each == nil {
		return db.hostConnector(u, q, dialer)
	}
	h := &hosts{timeline: db.Options.timeline}
	if h.timeline == nil {
		h.timeline = new(atomic.Int64)
		db.Options.timeline = h.timeline
	}
	for _, q := range each {
		c, err := db.hostConnector(u, q, dialer)
		if err != nil {
			return nil, err
		}
		c.name = hostName(q)
		h.all = append(h.all, c)
	}
	return h, nil
}

// hostConnector returns what opens connections to one host.
func (db *DB) hostConnector(u *url.URL, q url.Values, dialer *pgwire.Dialer) (connector, error) {
	one := *u
	one.RawQuery = q.Encode()
	c, err := pq.NewConnector(one.String())
	if err != nil {
		return connector{}, fmt.Errorf("the postgres:// address: %w", err)
	}
	c.Dialer(dialer)
	kept := preparedStatements
	if db.Options.PgBouncer {
		kept = 0 // the next transaction may get a server connection that does not have them
	}
	return connector{Connector: c, statements: kept, distance: &db.distance, connected: db.Options.Connected, server: db.Options.Server}, nil
}

// joinCollapseLimit is the largest number of tables for which PostgreSQL compares all join orders.
// With PostgreSQL's default of 8, planning a page with 7 conditions on related rows takes half a
// second.
const joinCollapseLimit = "4"

// startup adds the parameters that a connection to PostgreSQL starts with.
func (o Options) startup(q url.Values) {
	setDefault(q, "application_name", cmp.Or(o.ApplicationName, "forge"))
	if o.ConnectTimeout > 0 {
		setDefault(q, "connect_timeout", strconv.Itoa(int(o.ConnectTimeout.Seconds())))
	}
	// Answers show times as PostgreSQL sends them, and they are shown in UTC.
	q.Set("timezone", "UTC")
	// A statement with parameters that is not prepared then takes one round trip instead of two.
	// Parameters that are bytes are sent unchanged, as CheckNamedValue needs for keys.
	q.Set("binary_parameters", "yes")
	if len(o.Schemas) > 0 && !o.PgBouncer {
		path := []string{"public"}
		for _, schema := range o.Schemas {
			path = append(path, pq.QuoteIdentifier(schema))
		}
		setDefault(q, "search_path", strings.Join(path, ", "))
	}
	if !o.PgBouncer { // PgBouncer refuses parameters that it does not know
		for name, value := range o.limits() {
			setDefault(q, name, value)
		}
	}
}

// limits returns the limits that PostgreSQL enforces, and what else each session or transaction
// sets, by the names of PostgreSQL's parameters.
func (o Options) limits() map[string]string {
	limits := map[string]string{
		"statement_timeout":                   milliseconds(o.StatementTimeout),
		"lock_timeout":                        milliseconds(o.LockTimeout),
		"idle_in_transaction_session_timeout": milliseconds(o.IdleInTransaction),
		"join_collapse_limit":                 joinCollapseLimit,
		// A statement looks rows up by keys that mostly differ. To remember them takes PostgreSQL
		// longer than to look them up again.
		"enable_memoize": "off",
	}
	if o.Synced {
		limits["synchronous_commit"] = synchronousCommit
	}
	return limits
}

// roundTrip returns the time within which the server ends every statement, or 0 for no limit. It is
// at least the limit of a COMMIT, because a statement outside a transaction commits as well. If the
// address sets a statement_timeout that is not a number, there is no limit.
func (o Options) roundTrip(q url.Values) time.Duration {
	limit := o.StatementTimeout
	if !o.PgBouncer && q.Has("statement_timeout") {
		n, _ := strconv.Atoi(q.Get("statement_timeout"))
		limit = time.Duration(n) * time.Millisecond
	}
	if limit <= 0 {
		return 0
	}
	return max(limit, o.CommitTimeout)
}

func setDefault(q url.Values, name, value string) {
	if !q.Has(name) {
		q.Set(name, value)
	}
}

const activity = `SELECT COALESCE(state, 'unknown'), count(*), COALESCE(wait_event_type = 'Lock', false),
	EXTRACT(epoch FROM max(clock_timestamp() - xact_start))
FROM pg_stat_activity
WHERE datname = current_database() AND application_name = current_setting('application_name') AND pid <> pg_backend_pid()
GROUP BY 1, 3 ORDER BY 4 DESC NULLS LAST, 1`

// Activity writes a table of this program's sessions on PostgreSQL. It has a row for each state:
// how many sessions are in that state, whether they wait for a lock, and the age of their oldest
// transaction. Activity returns an error for SQLite, which has no sessions.
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
