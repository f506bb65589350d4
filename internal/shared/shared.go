// Package shared holds what the servers of one database share beside the data: the key of cursors,
// the count of failures to sign in, and persisted documents. Each is a table in the database, which
// only servers read and write. Where a table cannot be used, a server goes on with what it has in
// memory.
package shared

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"entgo.io/ent/dialect"

	"forge/internal/database"
	"forge/internal/migrator/catalog"
)

// Objects returns the tables for a kind of database. SQLite has one server only, so that it has
// nothing but the keys there, which outlive the server.
//
// The tables of failures and of documents are UNLOGGED: their rows need not outlive a crash of the
// database, and writing them does not wait for the disk or for a standby.
func Objects(name string) []catalog.Object {
	if name == dialect.SQLite {
		return []catalog.Object{keys(name)}
	}
	return []catalog.Object{keys(name), failures(), documents()}
}

func keys(name string) catalog.Object {
	if name == dialect.SQLite {
		return catalog.NewObject("keys", "", `CREATE TABLE NAME (
  purpose TEXT PRIMARY KEY,
  key BLOB NOT NULL,
  created_at INTEGER NOT NULL DEFAULT (unixepoch())
)`, "")
	}
	return catalog.NewObject("keys", "", `CREATE TABLE NAME (
  purpose text COLLATE "C" PRIMARY KEY,
  key bytea NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now()
)`, "")
}

func failures() catalog.Object {
	return catalog.NewObject("failures", "", `CREATE UNLOGGED TABLE NAME (
  key bytea PRIMARY KEY,
  failures integer NOT NULL,
  running integer NOT NULL,
  since timestamptz NOT NULL,
  until timestamptz NOT NULL,
  at timestamptz NOT NULL
)`, "")
}

func documents() catalog.Object {
	return catalog.NewObject("documents", "", `CREATE UNLOGGED TABLE NAME (
  hash bytea PRIMARY KEY,
  document text COLLATE "C" NOT NULL,
  bytes integer NOT NULL,
  used_at timestamptz NOT NULL
)`, "")
}

// Missing returns the names of the tables that a database of PostgreSQL lacks, or that this role
// may not change.
func Missing(ctx context.Context, db *database.DB) (names []string, err error) {
	for _, o := range Objects(db.Dialect) {
		var may bool
		const query = `SELECT coalesce(bool_and(has_table_privilege(to_regclass($1), p)), false)
FROM unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) p`
		if err := db.QueryRowContext(ctx, query, o.Name).Scan(&may); err != nil {
			return nil, err
		}
		if !may {
			names = append(names, o.Name)
		}
	}
	return names, nil
}

// limit is how long a statement on one of the tables may take.
const limit = 2 * time.Second

// within returns a context for a statement that must not be given up with the request.
func within(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), limit)
}

// outage logs the beginning and the end of the time in which a table cannot be used.
type outage struct {
	out  atomic.Bool
	log  *slog.Logger
	what string // what is then done instead
}

// note returns err, and logs it if it is the first.
func (o *outage) note(ctx context.Context, err error) error {
	switch {
	case err == nil && o.out.CompareAndSwap(true, false):
		o.log.InfoContext(ctx, "servers share again: no longer "+o.what)
	case err != nil && o.out.CompareAndSwap(false, true):
		o.log.WarnContext(ctx, o.what, "error", database.RedactError(err))
	}
	return err
}

// sweepRows is how many rows one statement removes at most.
const sweepRows = 1000

// sweep runs a statement that removes rows, until there are no more. The first argument of the
// statement is how many it may remove.
func sweep(ctx context.Context, db *database.DB, what, query string, args ...any) error {
	for {
		n, err := sweepSome(ctx, db, query, args)
		if err != nil {
			return fmt.Errorf("sweep %s: %w", what, err)
		}
		if n < sweepRows {
			return nil
		}
	}
}

func sweepSome(ctx context.Context, db *database.DB, query string, args []any) (int64, error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	result, err := db.ExecContext(ctx, query, append([]any{sweepRows}, args...)...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}
