// Package bootstrap opens the database and brings it into the state that the settings ask for. Its errors are sentences
// for whoever started Forge, and name the database.
package bootstrap

import (
	"context"
	"errors"
	"log/slog"

	"forge/internal/database"
	"forge/internal/seed"
	"forge/internal/settings"
	"forge/migrate"
)

// Open returns the database of the settings, once it has answered and, for a file, can be written.
func Open(ctx context.Context, s *settings.Settings) (*database.DB, error) {
	db, err := database.Open(s.DatabaseURL, s.Pool)
	if err == nil {
		if err = usable(ctx, db, s.DatabaseURL); err != nil {
			err = errors.Join(err, db.Close())
		}
	}
	if err != nil {
		return nil, explain(s, err)
	}
	return db, nil
}

// Schema applies pending migrations if the settings say so. Otherwise it only refuses a database that is newer than
// this build: a server may start before the migrations ran.
func Schema(ctx context.Context, s *settings.Settings, db *database.DB, log *slog.Logger) error {
	if s.Migrate {
		return explain(s, migrate.Up(ctx, db.DB, db.Dialect, log))
	}
	err := migrate.Check(ctx, db.DB, db.Dialect)
	if pending, ok := errors.AsType[*migrate.PendingError](err); ok {
		log.WarnContext(ctx, "not ready", "reason", pending.Error())
		return nil
	}
	return explain(s, err)
}

// Demo fills an empty database with demo data if the settings say so, and reports whether it did. A database without a
// schema stays as it is.
func Demo(ctx context.Context, s *settings.Settings, db *database.DB) (filled bool, err error) {
	if !s.Demo {
		return false, nil
	}
	err = Seed(ctx, s, db, seed.Demo)
	_, pending := errors.AsType[*migrate.PendingError](err)
	if pending || errors.Is(err, seed.ErrNotEmpty) {
		return false, nil
	}
	return err == nil, err
}

// Seed fills the database with the demo data of a scale. There must be a schema, and no row.
func Seed(ctx context.Context, s *settings.Settings, db *database.DB, scale int) error {
	if err := migrate.Check(ctx, db.DB, db.Dialect); err != nil {
		return explain(s, err)
	}
	return explain(s, seed.Run(ctx, db, scale))
}
