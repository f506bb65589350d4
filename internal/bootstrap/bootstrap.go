// Package bootstrap opens the database and brings it into the state that the settings ask for. Its errors are sentences
// for whoever started Forge, and name the database.
package bootstrap

import (
	"context"
	"errors"
	"log/slog"

	"forge/internal/database"
	"forge/internal/settings"
	"forge/internal/usage"
	"forge/migrate"
	"forge/seed"
)

// Open returns the database of the settings, once it has answered and, for a file, can be written. A file that is not there is made.
func Open(ctx context.Context, s *settings.Settings) (*database.DB, error) {
	return open(ctx, s, true, usable)
}

// OpenToMigrate is Open for who waits, however long it takes, until others have done the same: a file that they have locked will do.
func OpenToMigrate(ctx context.Context, s *settings.Settings) (*database.DB, error) {
	return open(ctx, s, true, usableByOthers)
}

// OpenExisting is Open for a file that has to be there.
func OpenExisting(ctx context.Context, s *settings.Settings) (*database.DB, error) {
	return open(ctx, s, false, usable)
}

// Look is for who only reads: a file has to be there and may be one that cannot be written, and nothing about it changes.
func Look(ctx context.Context, s *settings.Settings) (*database.DB, error) {
	looking := *s
	looking.Pool.LookOnly = true
	return open(ctx, &looking, false, answers)
}

// open makes a file that is not there if it is told so, and wants the database to be of use.
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

// Schema applies pending migrations if the settings say so. Otherwise a server may start before the migrations ran, and is not
// ready until they have; any other difference is an error.
func Schema(ctx context.Context, s *settings.Settings, db *database.DB, log *slog.Logger) error {
	if s.Migrate {
		err := MayMigrate(s, db)
		if err == nil {
			err = explain(s, migrate.Up(ctx, db.DB, db.Dialect, log))
		}
		return err
	}
	err := migrate.Check(ctx, db.DB, db.Dialect)
	if pending, ok := errors.AsType[*migrate.PendingError](err); ok {
		log.WarnContext(ctx, "not ready", "reason", pending.Error())
		return nil
	}
	return explain(s, err)
}

// MayMigrate returns an error if the way to the database leads through PgBouncer. The error is a *usage.Error.
func MayMigrate(s *settings.Settings, db *database.DB) error {
	if !db.Options.PgBouncer {
		return nil
	}
	return usage.Errorf("%s=%q leads through PgBouncer, which may give each transaction another session of the server, and migrations need their "+
		"lock and their limits to hold in one session; allowed: an address that leads to PostgreSQL directly", s.NameOf("DATABASE_URL"),
		database.Redact(s.DatabaseURL))
}

// Demo fills an empty database with demo data if the settings say so, and reports whether it did. A database without a
// schema stays as it is. Everybody knows a password there if the settings allow it.
func Demo(ctx context.Context, s *settings.Settings, db *database.DB) (filled bool, err error) {
	if !s.Demo {
		return false, nil
	}
	err = Seed(ctx, s, db, seed.Demo, s.DemoPasswords())
	_, pending := errors.AsType[*migrate.PendingError](err)
	if pending || errors.Is(err, seed.ErrNotEmpty) {
		return false, nil
	}
	return err == nil, err
}

// Seed fills the database with the demo data of a scale; open gives seed.Accounts their passwords. There must be a schema, and no row.
func Seed(ctx context.Context, s *settings.Settings, db *database.DB, scale int, open bool) error {
	if err := migrate.Check(ctx, db.DB, db.Dialect); err != nil {
		return explain(s, err)
	}
	run := seed.Run
	if open {
		run = seed.RunOpen
	}
	return explain(s, run(ctx, db, scale))
}
