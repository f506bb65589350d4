package bootstrap

import (
	"errors"
	"fmt"

	"forge/internal/database"
	"forge/internal/settings"
	"forge/migrate"
)

// explain returns an error that names the database, and says in plain words what is wrong with it if that is known.
func explain(s *settings.Settings, err error) error {
	if err == nil {
		return nil
	}
	// A statement of a migration that failed says so itself, and more than is known of it here.
	if _, ok := errors.AsType[*migrate.StepError](err); !ok {
		if known := database.Fault(err); known != nil {
			err = known
		}
	}
	return fmt.Errorf("%s=%q: %w", s.NameOf("DATABASE_URL"), database.Redact(s.DatabaseURL), err)
}
