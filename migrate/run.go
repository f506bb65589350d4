package migrate

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"

	"entgo.io/ent/dialect"
	"github.com/pressly/goose/v3"
)

// Up applies the versions that the database lacks, each in a transaction. Any
// number of processes may call it at once: they take turns, and each version
// is applied once. A database that is newer than this binary is refused with a
// *NewerError. On SQLite all pending versions are applied or none is; on
// PostgreSQL those before a failing one stay.
func Up(ctx context.Context, db *sql.DB, dialect string, log *slog.Logger) error {
	files, err := filesOf(dialect)
	if err != nil {
		return err
	}
	return up(ctx, db, dialect, files, log)
}

func up(ctx context.Context, db *sql.DB, dialect string, files fs.FS, log *slog.Logger) error {
	conn, err := connect(ctx, db)
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	defer conn.Close()
	// The usual start has nothing to do, and then needs neither the lock nor the right to write.
	var pending *PendingError
	if err := check(ctx, conn, dialect, files); !errors.As(err, &pending) {
		return err
	}
	done, err := locked(ctx, conn, dialect, files, func(provider *goose.Provider) ([]*goose.MigrationResult, error) {
		results, err := provider.Up(ctx)
		var failed *goose.PartialError
		if errors.As(err, &failed) {
			return failed.Applied, fmt.Errorf("%s: %w", failed.Failed.Source.Path, failed.Err)
		}
		return results, err
	})
	for _, r := range done {
		log.InfoContext(ctx, "applied migration", "file", r.Source.Path, "duration", r.Duration)
	}
	return err
}

// Down undoes the last n versions that the database has, or all when it has
// fewer. The data that those versions made room for is lost.
func Down(ctx context.Context, db *sql.DB, dialect string, n int, log *slog.Logger) error {
	files, err := filesOf(dialect)
	if err != nil {
		return err
	}
	return down(ctx, db, dialect, files, n, log)
}

func down(ctx context.Context, db *sql.DB, dialect string, files fs.FS, n int, log *slog.Logger) error {
	if n < 1 {
		return fmt.Errorf("migrate: cannot undo %d versions: the number must be 1 or more", n)
	}
	conn, err := connect(ctx, db)
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	defer conn.Close()
	done, err := locked(ctx, conn, dialect, files, func(provider *goose.Provider) (undone []*goose.MigrationResult, err error) {
		for range n {
			result, err := provider.Down(ctx)
			var failed *goose.PartialError
			switch {
			case errors.Is(err, goose.ErrNoNextVersion):
				return undone, nil
			case errors.As(err, &failed):
				return undone, fmt.Errorf("%s: %w", failed.Failed.Source.Path, failed.Err)
			case err != nil:
				return undone, err
			}
			undone = append(undone, result)
		}
		return undone, nil
	})
	for _, r := range done {
		log.InfoContext(ctx, "undid migration", "file", r.Source.Path, "duration", r.Duration)
	}
	return err
}

// A job is what to do with the files. It returns the steps that it did, also
// when a later one failed.
type job func(*goose.Provider) ([]*goose.MigrationResult, error)

// locked does a job while conn, the one connection of its provider, holds the
// lock. It returns the steps that have been done for good.
func locked(ctx context.Context, conn *sql.Conn, name string, files fs.FS, do job) (done []*goose.MigrationResult, err error) {
	release, err := acquire(ctx, conn, name)
	if err != nil {
		return nil, fmt.Errorf("migrate: %w", err)
	}
	defer func() {
		// Even when ctx has ended: the lock and the connection's settings must not outlive this call.
		if err = release(context.WithoutCancel(ctx), err); err == nil {
			return
		}
		err = fmt.Errorf("migrate: %w", err)
		if name == dialect.SQLite {
			done = nil // rolled back together
		}
	}()
	// Another process may have migrated while this one waited.
	var pending *PendingError
	if err := check(ctx, conn, name, files); err != nil && !errors.As(err, &pending) {
		return nil, err
	}
	err = onOneConnection(conn, name, func(db *sql.DB) error {
		provider, err := newProvider(db, name, files)
		if errors.Is(err, goose.ErrNoMigrations) {
			return nil
		}
		if err == nil {
			done, err = do(provider)
		}
		return err
	})
	return done, err
}

func newProvider(db *sql.DB, name string, files fs.FS) (*goose.Provider, error) {
	d := goose.DialectPostgres
	if name == dialect.SQLite {
		d = goose.DialectSQLite3
	}
	return goose.NewProvider(d, db, files,
		goose.WithTableName(versionTable),
		goose.WithDisableGlobalRegistry(true)) // only files: what another package registers is not ours
}
