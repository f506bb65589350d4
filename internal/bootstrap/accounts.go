package bootstrap

import (
	"context"
	"errors"

	"forge/internal/database"
	"forge/migrate"
	"forge/seed"
)

// Accounts returns the demo users that anybody can sign in as. In a database whose schema is still to come there are none.
func Accounts(ctx context.Context, db *database.DB) ([]seed.Account, error) {
	err := migrate.Check(ctx, db.DB, db.Dialect)
	if _, pending := errors.AsType[*migrate.PendingError](err); pending {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return seed.Usable(ctx, db)
}
