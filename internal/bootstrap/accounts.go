package bootstrap

import (
	"context"
	"errors"

	"forge/internal/database"
	"forge/internal/demo"
	"forge/internal/migrator"
	"forge/migrate"
)

// Accounts returns the demo accounts that anybody can sign in with. It returns none if the database
// has no schema yet.
func Accounts(ctx context.Context, db *database.DB, data demo.Data) ([]demo.Account, error) {
	err := migrator.New(migrate.Files, db.Dialect).Check(ctx, db.DB)
	if _, pending := errors.AsType[*migrator.PendingError](err); pending {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return data.Usable(ctx, db)
}
