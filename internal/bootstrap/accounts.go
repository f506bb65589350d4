package bootstrap

import (
	"context"
	"errors"

	"forge/internal/application"
	"forge/internal/database"
	"forge/internal/demo"
	"forge/internal/migrator"
)

// Accounts returns the demo accounts that still have the passwords everybody knows. It returns none
// if migrations are pending.
func Accounts(ctx context.Context, app application.Application, db *database.DB) ([]demo.Account, error) {
	err := app.Migrator(db.Dialect).Check(ctx, db.DB)
	if _, pending := errors.AsType[*migrator.PendingError](err); pending {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return app.Demo.Usable(ctx, db)
}
