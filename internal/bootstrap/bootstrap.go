// Package bootstrap opens the database, and brings it into the state that the settings ask for. Its
// errors contain the address of the database, and are written for the person who starts Forge.
package bootstrap

import (
	"context"
	"errors"
	"log/slog"

	"forge/internal/application"
	"forge/internal/database"
	"forge/internal/demo"
	"forge/internal/migrator"
	"forge/internal/progress"
	"forge/internal/settings"
	"forge/internal/usage"
)

// Open opens the database of the settings. It creates a SQLite file that is missing. It returns an
// error if the database does not respond, or if its file cannot be written.
func Open(ctx context.Context, s *settings.Settings) (*database.DB, error) {
	return open(ctx, s, true, usable)
}

// OpenToMigrate does the same as Open, but does not return an error if another process has locked
// the file. Migrating waits for the lock.
func OpenToMigrate(ctx context.Context, s *settings.Settings) (*database.DB, error) {
	return open(ctx, s, true, usableByOthers)
}

// OpenExisting does the same as Open, but returns an error if a SQLite file is missing.
func OpenExisting(ctx context.Context, s *settings.Settings) (*database.DB, error) {
	return open(ctx, s, false, usable)
}

// Look opens the database for reading, and changes nothing about it. It returns an error if a
// SQLite file is missing, but not if the file cannot be written.
func Look(ctx context.Context, s *settings.Settings) (*database.DB, error) {
	looking := *s
	looking.Pool.LookOnly = true
	return open(ctx, &looking, false, answers)
}

// open opens the database, and returns it if use returns no error. If make is true, SQLite may
// create a file that is missing.
func open(ctx context.Context, s *settings.Settings, make bool, use func(context.Context, *database.DB, string) error) (*database.DB, error) {
	if err := haveFile(s.DatabaseURL, make); err != nil {
		return nil, explain(s, err)
	}
	db, err := database.Open(s.DatabaseURL, s.Pool)
	if err == nil {
		if err = use(ctx, db, s.DatabaseURL); err != nil {
			err = errors.Join(err, db.Close())
		}
	}
	if err != nil {
		return nil, explain(s, err)
	}
	return db, nil
}

// Schema applies pending migrations if the settings say so. Otherwise it only logs that migrations
// are pending: the server is not ready until somebody has applied them. Any other difference
// between the schema and the migrations is an error. What ent/schema has beyond the migrations is
// logged.
func Schema(ctx context.Context, s *settings.Settings, app application.Application, db *database.DB, log *slog.Logger) error {
	if s.Migrate {
		if err := MayMigrate(s, db); err != nil {
			return err
		}
		if err := app.Migrator(db.Dialect).Up(ctx, db.DB, log); err != nil {
			return explain(s, err)
		}
		unmigrated(ctx, app, db, log)
		return nil
	}
	err := app.Migrator(db.Dialect).Check(ctx, db.DB)
	if pending, ok := errors.AsType[*migrator.PendingError](err); ok {
		log.WarnContext(ctx, "not ready", "reason", pending.Error())
		return nil
	}
	if err != nil {
		return explain(s, err)
	}
	unmigrated(ctx, app, db, log)
	return nil
}

// unmigrated logs the tables and columns that ent/schema has and no migration has made.
func unmigrated(ctx context.Context, app application.Application, db *database.DB, log *slog.Logger) {
	missing, err := app.Unmigrated(ctx, db)
	if err != nil {
		log.WarnContext(ctx, "not known whether ent/schema has more than the migrations", "error", database.RedactError(err))
	}
	if missing != nil {
		log.WarnContext(ctx, "ent/schema has changed and no migration was planned, so requests fail: run migrate diff NAME and start again", "missing", missing)
	}
}

// MayMigrate returns a *usage.Error if the database is reached through PgBouncer.
func MayMigrate(s *settings.Settings, db *database.DB) error {
	if !db.Options.PgBouncer {
		return nil
	}
	return usage.Errorf("%s=%q leads through PgBouncer, which may give each transaction another session of the server, and migrations need their "+
		"lock and their limits to hold in one session; allowed: an address that leads to PostgreSQL directly", s.NameOf("DATABASE_URL"),
		database.Redact(s.DatabaseURL))
}

// Demo fills an empty database with demo data if the settings say so. It reports whether it did. It
// stores nothing while migrations are pending. The demo accounts get their passwords only if the
// settings allow it.
func Demo(ctx context.Context, s *settings.Settings, app application.Application, db *database.DB) (filled bool, err error) {
	if !s.Demo {
		return false, nil
	}
	err = Seed(ctx, s, app, db, app.Demo.Scale, s.DemoPasswords())
	_, pending := errors.AsType[*migrator.PendingError](err)
	if pending || errors.Is(err, demo.ErrNotEmpty) {
		return false, nil
	}
	return err == nil, err
}

// Seed fills the database with demo data. With passwords, the demo accounts get their passwords,
// which everybody knows. Seed returns an error if migrations are pending, or if the database has
// rows.
func Seed(ctx context.Context, s *settings.Settings, app application.Application, db *database.DB, scale int, passwords bool) error {
	if err := app.Migrator(db.Dialect).Check(ctx, db.DB); err != nil {
		return explain(s, err)
	}
	if err := strange(ctx, app, db); err != nil {
		return explain(s, err)
	}
	ctx, end := progress.Begin(ctx, "filling in demo data")
	defer end()
	return explain(s, app.Demo.Fill(ctx, db, scale, passwords))
}
