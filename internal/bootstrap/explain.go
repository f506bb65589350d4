package bootstrap

import (
	"fmt"

	"forge/internal/database"
	"forge/internal/settings"
)

// explain returns an error that names the database, and says in plain words what is wrong with it if that is known.
func explain(s *settings.Settings, err error) error {
	if err == nil {
		return nil
	}
	if known := database.Fault(err); known != nil {
		err = known
	}
	return fmt.Errorf("%s=%q: %w", s.NameOf("DATABASE_URL"), database.Redact(s.DatabaseURL), err)
}
