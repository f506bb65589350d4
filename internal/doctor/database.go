package doctor

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"entgo.io/ent/dialect"
	"github.com/lib/pq"
	"github.com/lib/pq/pqerror"

	"forge/internal/application"
	"forge/internal/database"
)

// options returns the settings of the pool with two changes: it has only the connections that the
// checks need, and connecting takes less than the time of a check.
func (d *Doctor) options() database.Options {
	o := d.config.Pool
	o.PoolSize, o.ConnectTimeout = 2, min(o.ConnectTimeout, d.timeout-time.Second)
	return o
}

// slowRoundTrip is how long a round trip to the database may take without a warning. Each statement
// of a request takes at least one round trip.
const slowRoundTrip = 10 * time.Millisecond

// oldestTested is the oldest version of PostgreSQL that Forge is tested with.
const oldestTested = 14

// reach connects to the database. It reports the version of the database and how fast it answers.
func (d *Doctor) reach(ctx context.Context, db *database.DB) []Finding {
	conn, err := db.Conn(ctx)
	if err != nil {
		return []Finding{d.unreached(err)}
	}
	defer conn.Close()
	var took []time.Duration
	for range 5 {
		start := time.Now()
		if _, err := conn.ExecContext(ctx, "SELECT 1"); err != nil {
			return []Finding{d.unreached(err)}
		}
		took = append(took, time.Since(start))
	}
	round := slices.Min(took)
	var version string
	if db.Dialect == dialect.SQLite {
		if err := conn.QueryRowContext(ctx, "SELECT sqlite_version() FROM sqlite_schema LIMIT 1").Scan(&version); err != nil {
			version = "an empty file"
		}
		return []Finding{ok("database", "SQLite %s answers", version)}
	}
	var number int
	var standby, readOnly bool
	err = conn.QueryRowContext(ctx, `SELECT current_setting('server_version'), current_setting('server_version_num')::int, pg_is_in_recovery(),
		current_setting('default_transaction_read_only')::bool`).Scan(&version, &number, &standby, &readOnly)
	if err != nil {
		return []Finding{d.unreached(err)}
	}
	found := []Finding{ok("database", "PostgreSQL %s answers in %s", version, round.Round(time.Microsecond))}
	if number/10000 < oldestTested {
		found = append(found, warn("database", fmt.Sprintf("PostgreSQL %s is older than what Forge is tested with", version),
			fmt.Sprintf("Upgrade to version %d or newer.", oldestTested)))
	}
	if places := d.app.API(application.Services{}).Folds(); places != nil {
		if err := db.Folds(ctx); err != nil {
			found = append(found, fail("database", err.Error(), "Take "+strings.Join(places, ", ")+" out of schema.graphqls, or give the columns a MatchBy in ent/schema."))
		}
	}
	if round > slowRoundTrip {
		found = append(found, warn("database", fmt.Sprintf("a round trip takes %s, and a request has one for each level of its selection", round.Round(time.Microsecond)),
			"Run Forge near its database."))
	}
	if standby || readOnly {
		found = append(found, fail("database", "the database can only be read: every mutation fails", "Point DATABASE_URL to the primary, or end default_transaction_read_only."))
	}
	return found
}

// unreached returns a finding that says why there is no connection, and what to do.
func (d *Doctor) unreached(err error) Finding {
	name := d.config.NameOf("DATABASE_URL")
	message := strings.Join(strings.Fields(err.Error()), " ")
	switch e := pq.As(err, pqerror.ProtocolViolation, pqerror.InvalidPassword, pqerror.InvalidAuthorizationSpecification,
		pqerror.InvalidCatalogName, pqerror.TooManyConnections); {
	case d.readOnly() && strings.Contains(message, "readonly"):
		return fail("database", message, "SQLite keeps files beside a database that others write, to read it too: let this user write in the folder, or read a copy that VACUUM INTO has made.")
	case e == nil && d.config.Dialect() == dialect.SQLite:
		return fail("database", message, "If it is locked, another program writes it: end that, or wait. If it is no database, restore a copy.")
	case errors.Is(err, pq.ErrSSLNotSupported):
		return fail("database", "the server does not encrypt connections", "Let it, or set sslmode=disable in "+name+" where the network between is trusted.")
	case e == nil:
		return fail("database", "no connection: "+message, "See that the server runs and that host and port in "+name+" are right, from this machine: pg_isready -h HOST -p PORT.")
	case e.Code == pqerror.ProtocolViolation:
		return fail("database", message, "This looks like PgBouncer, which takes no limits at the start of a connection: set PGBOUNCER=on.")
	case e.Code == pqerror.InvalidCatalogName:
		return fail("database", message, "CREATE DATABASE, or correct the name in "+name+".")
	case e.Code == pqerror.TooManyConnections:
		return fail("database", message, "All connections are taken: lower POOL_SIZE or the number of processes, or raise max_connections.")
	default:
		return fail("database", message, "Correct role and password in "+name+", or pg_hba.conf of the server.")
	}
}
