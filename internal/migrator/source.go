// Package migrator applies an application's versioned SQL files to a database and undoes them. It
// says which versions a database has, and whether the schema still is the one that they left.
//
// The files are planned in package dev, which a running server does not import. goose runs them.
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
	all     fs.FS // a directory for each kind of database
}

// New returns the source for a dialect, dialect.Postgres or dialect.SQLite. The migration files are
// in the directories postgres and sqlite of files. With another dialect every method of the source
// returns an error.
func New(files fs.FS, dialect string) Source { return Source{dialect, files} }

// Dialect returns the kind of database that the source is for.
func (s Source) Dialect() string { return s.dialect }

// Dir returns the name of the directory of a dialect. It returns an error for a dialect other than
// PostgreSQL and SQLite.
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

// files returns the migration files of the dialect.
func (s Source) files() (fs.FS, error) {
	dir, err := Dir(s.dialect)
	if err != nil {
		return nil, err
	}
	return fs.Sub(s.all, dir)
}

// runner returns the runner of the dialect's files.
func (s Source) runner(lockTimeout time.Duration, log *slog.Logger) (runner, error) {
	files, err := s.files()
	return runner{s.dialect, files, lockTimeout, log}, err
}

// Up applies the versions that the database lacks, each in a transaction. Any number of processes
// may call it at once: they take turns, and each version is applied once.
//
// It returns a *Refusal, and changes nothing, if the database is newer than the files or is not as
// its versions left it. It returns a *StepError if a statement fails: on SQLite no version is
// applied then, and on PostgreSQL the versions before the failing one stay.
func (s Source) Up(ctx context.Context, db *sql.DB, log *slog.Logger) error {
	return s.UpTo(ctx, db, math.MaxInt64, LockTimeout, log)
}

// UpTo is Up for the versions up to and including the one with a number; see Find. With a
// lockTimeout of 0 it waits for locks without limit.
func (s Source) UpTo(ctx context.Context, db *sql.DB, number int64, lockTimeout time.Duration, log *slog.Logger) error {
	r, err := s.runner(lockTimeout, log)
	if err != nil {
		return err
	}
	return r.up(ctx, db, number)
}

// Down undoes the last n versions that the database has, or all of them if there are fewer.
//
// It returns a *LossError, and changes nothing, if that would lose data and lose is false. If a
// down section leaves another schema than there was before its version, it is rolled back and Down
// returns a *StepError that wraps a *RestoreError. Down refuses the same databases as Up.
func (s Source) Down(ctx context.Context, db *sql.DB, n int, lose bool, lockTimeout time.Duration, log *slog.Logger) error {
	r, err := s.runner(lockTimeout, log)
	if err != nil {
		return err
	}
	return r.down(ctx, db, n, lose)
}

// DownUnchecked undoes the last n versions, no matter which data that loses or which schema it
// leaves. It is for tools that try migration files out and compare the result themselves.
func (s Source) DownUnchecked(ctx context.Context, db *sql.DB, n int, log *slog.Logger) error {
	r, err := s.runner(LockTimeout, log)
	if err != nil {
		return err
	}
	return r.run(ctx, db, undoing(n, job{lose: true, anySchema: true}))
}
