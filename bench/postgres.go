package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// postgres is a store in a PostgreSQL cluster that bench has started.
type postgres struct {
	*cluster
	database string // the name of the one that is measured
}

// half is the name of a database that is not filled yet.
const half = "half_made"

// measuredDatabase is the name of the database that is measured: a copy of the seeded one.
const measuredDatabase = "bench"

func (b *bench) openPostgres(ctx context.Context, dir string) (store, error) {
	c, err := startCluster(ctx, dir, b.statements)
	if err != nil {
		return nil, err
	}
	database, err := b.fillPostgres(ctx, c)
	if err != nil {
		c.stop()
		return nil, err
	}
	return postgres{c, database}, nil
}

// fillPostgres returns the name of the database to measure.
func (b *bench) fillPostgres(ctx context.Context, c *cluster) (string, error) {
	seeded := fmt.Sprintf("seed%d", b.scale)
	there, err := c.has(ctx, seeded)
	if err != nil {
		return "", err
	}
	if !there {
		fmt.Printf("making the data of scale %d\n", b.scale)
		if err := b.seedPostgres(ctx, c, seeded); err != nil {
			return "", err
		}
	}
	database := measuredDatabase
	if b.offered != "" {
		database = seeded // it is only read, and may be too large to be copied
	} else if err := c.exec(ctx, "postgres", "DROP DATABASE IF EXISTS "+measuredDatabase, "CREATE DATABASE "+measuredDatabase+" TEMPLATE "+seeded); err != nil {
		return "", err
	}
	// A database of an earlier run may be older than the program.
	return database, b.forge(ctx, c.url(database), "migrate", "up")
}

// seedPostgres fills a database under a temporary name, and renames it at the end. An interrupted
// run thus leaves no incomplete database under the final name.
func (b *bench) seedPostgres(ctx context.Context, c *cluster, seeded string) error {
	if err := c.exec(ctx, "postgres", "DROP DATABASE IF EXISTS "+half, "CREATE DATABASE "+half); err != nil {
		return err
	}
	if err := b.forge(ctx, c.url(half), "migrate", "up"); err != nil {
		return err
	}
	if err := c.exec(ctx, half, pauseChecks...); err != nil {
		return err
	}
	if err := b.forge(ctx, c.url(half), "seed", "--passwords", "--scale", fmt.Sprint(b.scale)); err != nil {
		return err
	}
	if err := c.exec(ctx, half, resumeChecks...); err != nil {
		return err
	}
	return c.exec(ctx, "postgres", "ALTER DATABASE "+half+" RENAME TO "+seeded)
}

// While a large database is filled, no index is kept up to date but those of primary keys, and no
// foreign key is checked. Indexes are made many times faster when all rows are there. Demo data
// refer to nothing but themselves.
var (
	pauseChecks = []string{
		"UPDATE pg_index SET indisready = false FROM pg_class c WHERE c.oid = indexrelid AND relnamespace = 'public'::regnamespace AND NOT indisprimary",
		"ALTER DATABASE " + half + " SET session_replication_role = replica",
	}
	resumeChecks = []string{
		"ALTER DATABASE " + half + " RESET session_replication_role", "REINDEX DATABASE " + half, "VACUUM ANALYZE",
	}
)

// has reports whether a database exists.
func (c *cluster) has(ctx context.Context, name string) (there bool, err error) {
	conn, err := pgx.Connect(ctx, c.url("postgres"))
	if err != nil {
		return false, err
	}
	defer conn.Close(ctx)
	err = conn.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", name).Scan(&there)
	return there, err
}

func (p postgres) name(ctx context.Context) (version string, err error) {
	conn, err := pgx.Connect(ctx, p.url())
	if err != nil {
		return "", err
	}
	defer conn.Close(ctx)
	err = conn.QueryRow(ctx, "SELECT 'PostgreSQL ' || split_part(current_setting('server_version'), ' ', 1)").Scan(&version)
	return version, err
}

func (p postgres) url() string       { return p.cluster.url(p.database) }
func (p postgres) process() *process { return p.cluster.process }
func (p postgres) close()            { p.stop() }

func (p postgres) tidy(ctx context.Context) error {
	return p.exec(ctx, measuredDatabase, "VACUUM users", "VACUUM inventories", "VACUUM orders", "VACUUM order_items")
}

// audit returns the sum of all stock and all ordered items. Orders do not change this sum. It
// returns an error if the items of an order do not add up to its total.
func (p postgres) audit(ctx context.Context) (goods int64, err error) {
	conn, err := pgx.Connect(ctx, p.url())
	if err != nil {
		return 0, err
	}
	defer conn.Close(ctx)
	var wrong int
	err = conn.QueryRow(ctx, `SELECT count(*) FROM orders o
		JOIN (SELECT order_id, sum(quantity * unit_price_cents) AS total FROM order_items GROUP BY order_id) i ON i.order_id = o.id
		WHERE o.total_cents <> i.total`).Scan(&wrong)
	if err != nil {
		return 0, err
	}
	if wrong > 0 {
		return 0, fmt.Errorf("%d orders do not add up", wrong)
	}
	err = conn.QueryRow(ctx, `SELECT (SELECT sum(quantity) FROM inventories) + (SELECT sum(quantity) FROM order_items)`).Scan(&goods)
	return goods, err
}

// count counts statements with pg_stat_statements, which is off during measurements.
func (p postgres) count(ctx context.Context, n int, do func() error) (*statements, error) {
	if !p.counts {
		return nil, nil
	}
	if err := p.track(ctx, "top"); err != nil {
		return nil, err
	}
	if err := do(); err != nil {
		return nil, err
	}
	conn, err := pgx.Connect(ctx, p.cluster.url("postgres"))
	if err != nil {
		return nil, err
	}
	defer conn.Close(ctx)
	var s statements
	err = conn.QueryRow(ctx, `SELECT coalesce(sum(calls) FILTER (WHERE NOT around), 0) / $1::float8, coalesce(sum(calls) FILTER (WHERE around), 0) / $1
		FROM (SELECT calls, query ~* '^(begin|start|commit|rollback|set|discard)' AS around FROM pg_stat_statements
			WHERE dbid = (SELECT oid FROM pg_database WHERE datname = $2)) s`, float64(n), measuredDatabase).Scan(&s.Work, &s.Around)
	return &s, errors.Join(err, p.track(ctx, "none"))
}

// pages calls do, which sends one request. It returns how many pages its statement reads that reads
// most.
func (p postgres) pages(ctx context.Context, do func() error) (n float64, err error) {
	conn, err := pgx.Connect(ctx, p.cluster.url("postgres"))
	if err != nil {
		return 0, err
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, "SELECT pg_stat_statements_reset()"); err != nil {
		return 0, err
	}
	if err := do(); err != nil {
		return 0, err
	}
	err = conn.QueryRow(ctx, "SELECT coalesce(max((shared_blks_hit + shared_blks_read) / calls), 0)::float8 FROM pg_stat_statements").Scan(&n)
	return n, err
}

// track sets pg_stat_statements.track for all connections, and resets the counters.
func (p postgres) track(ctx context.Context, what string) error {
	err := p.exec(ctx, "postgres", "CREATE EXTENSION IF NOT EXISTS pg_stat_statements",
		"ALTER SYSTEM SET pg_stat_statements.track = '"+what+"'", "SELECT pg_reload_conf()")
	if err != nil {
		return err
	}
	time.Sleep(200 * time.Millisecond) // the other processes take a moment to reload their settings
	return p.exec(ctx, "postgres", "SELECT pg_stat_statements_reset()")
}
