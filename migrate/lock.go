package migrate

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"entgo.io/ent/dialect"
	"github.com/pressly/goose/v3/lock"
)

// A release ends a lock. It is told how the work under the lock went.
type release func(context.Context, error) error

// acquire waits until conn is the only one that migrates the database.
func acquire(ctx context.Context, conn *sql.Conn, name string) (release, error) {
	if name == dialect.SQLite {
		return acquireSQLite(ctx, conn)
	}
	return acquirePostgres(ctx, conn)
}

// acquirePostgres takes an advisory lock, the one that goose takes as well. The
// server drops it when the connection ends, however it ends. We ask again and
// again instead of waiting in the server, where a waiting statement would hold
// up CREATE INDEX CONCURRENTLY forever.
func acquirePostgres(ctx context.Context, conn *sql.Conn) (release, error) {
	for {
		var ours bool
		err := conn.QueryRowContext(ctx, "SELECT pg_try_advisory_lock($1)", lock.DefaultLockID).Scan(&ours)
		if err != nil {
			return nil, fmt.Errorf("take the migration lock: %w", err)
		}
		if ours {
			break
		}
		if err := pause(ctx); err != nil {
			return nil, fmt.Errorf("wait for another process that migrates: %w", err)
		}
	}
	return func(ctx context.Context, err error) error {
		if _, unlockErr := conn.ExecContext(ctx, "SELECT pg_advisory_unlock($1)", lock.DefaultLockID); unlockErr != nil {
			err = errors.Join(err, fmt.Errorf("give back the migration lock: %w", unlockErr))
		}
		return err
	}, nil
}

// acquireSQLite begins a transaction that keeps all other writers out. The
// whole migration is one such transaction, so a failure leaves nothing behind.
//
// SQLite changes a column by copying its table and dropping the old one, and
// with foreign keys on that drop would delete the rows that refer to it. They
// can only be switched off outside of a transaction, which is why a file
// cannot do it for itself; in return all references are checked at the end.
func acquireSQLite(ctx context.Context, conn *sql.Conn) (release, error) {
	restore, err := switchOffForeignKeys(ctx, conn)
	if err != nil {
		return nil, err
	}
	err = whileBusy(ctx, func() error {
		_, err := conn.ExecContext(ctx, "BEGIN IMMEDIATE")
		return err
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("wait for other writers: %w", err), restore(context.WithoutCancel(ctx)))
	}
	return func(ctx context.Context, err error) error {
		if err == nil {
			err = checkReferences(ctx, conn)
		}
		if err == nil {
			_, err = conn.ExecContext(ctx, "COMMIT")
		}
		if err != nil {
			// That this fails too means that SQLite has rolled back by itself.
			conn.ExecContext(ctx, "ROLLBACK")
		}
		return errors.Join(err, restore(ctx))
	}, nil
}

// checkReferences fails when a row refers to one that does not exist.
func checkReferences(ctx context.Context, conn *sql.Conn) error {
	rows, err := conn.QueryContext(ctx, "SELECT \"table\", parent, count(*) FROM pragma_foreign_key_check GROUP BY 1, 2")
	if err != nil {
		return fmt.Errorf("check foreign keys: %w", err)
	}
	defer rows.Close()
	var broken []error
	for rows.Next() {
		var table, parent string
		var count int
		if err := rows.Scan(&table, &parent, &count); err != nil {
			return fmt.Errorf("check foreign keys: %w", err)
		}
		broken = append(broken, fmt.Errorf("%d rows of %s refer to rows of %s that do not exist", count, table, parent))
	}
	return errors.Join(append(broken, rows.Err())...)
}

// switchOffForeignKeys works for this connection only. It returns how to set
// them back: the connection belongs to a pool.
func switchOffForeignKeys(ctx context.Context, conn *sql.Conn) (restore func(context.Context) error, err error) {
	set := func(ctx context.Context, on bool) error {
		if _, err := conn.ExecContext(ctx, fmt.Sprintf("PRAGMA foreign_keys = %t", on)); err != nil {
			return fmt.Errorf("set foreign_keys: %w", err)
		}
		return nil
	}
	var before bool
	if err := conn.QueryRowContext(ctx, "PRAGMA foreign_keys").Scan(&before); err != nil {
		return nil, fmt.Errorf("read foreign_keys: %w", err)
	}
	return func(ctx context.Context) error { return set(ctx, before) }, set(ctx, false)
}
