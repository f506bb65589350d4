package bootstrap

import (
	"context"
	"errors"

	"forge/internal/database"
	"forge/internal/migrator"
	"forge/migrate"
	"forge/seed"
)

// Accounts returns the demo users that anybody can sign in as. In a database whose schema is still to come there are none.
func Accounts(ctx context.Context, db *database.DB) ([]seed.Account, error) {
	err := migrator.New(migrate.Files, db.Dialect).Check(ctx, db.DB)
	if _, pending := errors.AsType[*migrator.PendingError](err); pending {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return seed.Usable(ctx, db)
}
