// Package migrator applies versioned SQL files to a database and undoes them. It reports which
// versions a database has, and whether the schema is still the one that these versions left.
//
// goose runs the files. Package dev writes and checks them, and is not part of a running server.
package migrator

import (
	"context"
	"database/sql"
	"fmt"
	"io/fs"
	"log/slog"
	"math"
	"time"

	"entgo.io/ent/dialect"
)

// A Source holds the migration files of an application for one kind of database.
type Source struct {
	dialect string
	all     fs.FS // has a directory for each kind of database
}

// New returns the source for a dialect: dialect.Postgres or dialect.SQLite. files has the migration
// files in its directories postgres and sqlite. With any other dialect, all methods of the source
// return an error.
func New(files fs.FS, dialect string) Source { return Source{dialect, files} }

// Dialect returns the dialect of the source.
func (s Source) Dialect() string { return s.dialect }

// Dir returns the name of the directory with the files of a dialect. It returns an error if the
// dialect is neither PostgreSQL nor SQLite.
func Dir(name string) (string, error) {
	switch name {
	case dialect.Postgres:
		return "postgres", nil
	case dialect.SQLite:
		return "sqlite", nil
	}
	return "", fmt.Errorf("migrate: no migrations for the dialect %q; there are some for %q and %q",
		name, dialect.Postgres, dialect.SQLite)
}

// files returns the migration files of the source's dialect.
func (s Source) files() (fs.FS, error) {
	dir, err := Dir(s.dialect)
	if err != nil {
		return nil, err
	}
	return fs.Sub(s.all, dir)
}

// runner returns a runner for the source's files.
func (s Source) runner(lockTimeout time.Duration, log *slog.Logger) (runner, error) {
	files, err := s.files()
	return runner{s.dialect, files, lockTimeout, log}, err
}

// Up applies the versions that the database lacks. Any number of processes may call it at once:
// they take turns, and each version is applied once.
//
// It returns a *Refusal, and changes nothing, if the database is newer than the files, or is not as
// its versions left it. It returns a *StepError if a statement fails. On PostgreSQL, the versions
// before the failed one remain applied. On SQLite, no version is applied then.
func (s Source) Up(ctx context.Context, db *sql.DB, log *slog.Logger) error {
	return s.UpTo(ctx, db, math.MaxInt64, LockTimeout, log)
}

// UpTo does the same as Up, but stops after the version with a number, as Find returns it. If
// lockTimeout is 0, statements wait for locks without limit.
func (s Source) UpTo(ctx context.Context, db *sql.DB, number int64, lockTimeout time.Duration, log *slog.Logger) error {
	r, err := s.runner(lockTimeout, log)
	if err != nil {
		return err
	}
	return r.up(ctx, db, number)
}

// Down undoes the last n versions of the database, or all versions if there are fewer.
//
// It returns a *LossError, and changes nothing, if data would be lost and lose is false. If the
// schema after a down section is not the one from before the version, Down rolls that section back
// and returns a *StepError with a *RestoreError. Down refuses the same databases as Up.
func (s Source) Down(ctx context.Context, db *sql.DB, n int, lose bool, lockTimeout time.Duration, log *slog.Logger) error {
	r, err := s.runner(lockTimeout, log)
	if err != nil {
		return err
	}
	return r.down(ctx, db, n, lose)
}

// DownUnchecked undoes the last n versions even if data is lost or the schema is not what it was
// before. It is for tools that try migration files and compare the result themselves.
func (s Source) DownUnchecked(ctx context.Context, db *sql.DB, n int, log *slog.Logger) error {
	r, err := s.runner(LockTimeout, log)
	if err != nil {
		return err
	}
	return r.run(ctx, db, undoing(n, job{lose: true, anySchema: true}))
}
