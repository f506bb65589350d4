package migrator

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"time"

	"entgo.io/ent/dialect"
	"github.com/pressly/goose/v3/lock"

	"forge/internal/database"
)

// A release gives a lock back. err is the error of the work that was done under the lock, or nil.
type release func(context.Context, error) error

// acquire waits until no other connection migrates the database, and keeps others from doing so.
func (r runner) acquire(ctx context.Context, conn *sql.Conn) (release, error) {
	if r.dialect == dialect.SQLite {
		return acquireSQLite(ctx, conn)
	}
	return r.acquirePostgres(ctx, conn)
}

// acquirePostgres takes an advisory lock, the same one that goose takes. The server releases the
// lock when the connection ends for any reason. acquirePostgres asks for the lock again and again:
// a statement that waits for the lock in the server would block CREATE INDEX CONCURRENTLY forever.
//
// The release closes the connection and does not return it to the pool, because the session has
// settings that are right only for migrations.
func (r runner) acquirePostgres(ctx context.Context, conn *sql.Conn) (release, error) {
	for attempt := 1; ; attempt++ {
		var ours bool
		err := conn.QueryRowContext(ctx, "SELECT pg_try_advisory_lock($1)", lock.DefaultLockID).Scan(&ours)
		if err != nil {
			return nil, fmt.Errorf("take the migration lock: %w", err)
		}
		if ours {
			break
		}
		if attempt == 1 {
			r.log.InfoContext(ctx, "another process migrates: waiting for it")
		}
		if err := poll.Wait(ctx, attempt); err != nil {
			return nil, fmt.Errorf("wait for another process that migrates: %w", err)
		}
	}
	end := func(ctx context.Context, err error) error {
		// The server may notice late that the session has ended, so the lock is released first. An
		// error means that the session has ended already.
		_, _ = conn.ExecContext(ctx, "SELECT pg_advisory_unlock($1)", lock.DefaultLockID)
		_ = conn.Raw(func(any) error { return driver.ErrBadConn })
		return err
	}
	if err := setLimits(ctx, conn, r.lockTimeout); err != nil {
		return nil, end(context.WithoutCancel(ctx), err)
	}
	return end, nil
}

// setLimits limits how long the session waits for a lock, and removes all other limits: to build
// the index of a large table takes longer than a request may take. Older versions of PostgreSQL
// lack some of the settings, so it only sets those that the server knows.
func setLimits(ctx context.Context, conn *sql.Conn, lockTimeout time.Duration) error {
	_, err := conn.ExecContext(ctx, "SELECT set_config(name, '0', false) FROM pg_settings WHERE name IN "+
		"('statement_timeout', 'transaction_timeout', 'idle_in_transaction_session_timeout', 'idle_session_timeout')")
	if err == nil {
		err = setLockTimeout(ctx, conn, lockTimeout)
	}
	if err == nil {
		err = conn.Raw(func(raw any) error {
			database.WithoutDeadline(raw)
			return nil
		})
	}
	if err != nil {
		return fmt.Errorf("set the limits of the session: %w", err)
	}
	return nil
}

// An execer is a *sql.DB or a *sql.Conn.
type execer interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}

// setLockTimeout sets how long the next statements of the session wait for a lock. 0 stands for no
// limit.
func setLockTimeout(ctx context.Context, db execer, d time.Duration) error {
	_, err := db.ExecContext(ctx, fmt.Sprintf("SET lock_timeout = %d", d.Milliseconds()))
	return err
}

// acquireSQLite begins a transaction, which keeps all other writers out. All pending files run in
// this transaction, each in a savepoint, so a failure leaves nothing behind. A transaction for each
// file would not do: SQLite has no other lock between processes, so another process could write
// between two files, when the schema is not the one of any build.
//
// It also switches foreign keys off, which is only possible outside of a transaction. SQLite
// changes a column by copying the table and dropping the old one. With foreign keys on, that would
// delete the rows that refer to the table. The release checks all references before it commits.
func acquireSQLite(ctx context.Context, conn *sql.Conn) (release, error) {
	restore, err := switchOffForeignKeys(ctx, conn)
	if err != nil {
		return nil, err
	}
	err = retryOnBusy(ctx, func() error {
		_, err := conn.ExecContext(ctx, "BEGIN IMMEDIATE")
		return err
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("wait for other writers: %w", err), restore(context.WithoutCancel(ctx)))
	}
	return func(ctx context.Context, err error) error {
		if err == nil {
			err = checkForeignKeys(ctx, conn)
		}
		if err == nil {
			_, err = conn.ExecContext(ctx, "COMMIT")
		}
		if err != nil {
			// This fails if SQLite has already rolled back by itself.
			conn.ExecContext(ctx, "ROLLBACK")
		}
		if restoreErr := restore(ctx); restoreErr != nil {
			err = errors.Join(err, restoreErr)
		}
		return err
	}, nil
}

// checkForeignKeys returns an error if rows refer to a row that does not exist. The error counts
// them.
func checkForeignKeys(ctx context.Context, conn *sql.Conn) error {
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

// switchOffForeignKeys switches foreign keys off for one connection. restore restores the former
// setting, because the connection goes back to a pool.
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
