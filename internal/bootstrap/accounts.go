package bootstrap

import (
	"context"
	"errors"

	"forge/internal/application"
	"forge/internal/database"
	"forge/internal/migrator"
	"forge/migrate"
)

// Accounts returns the demo users that anybody can sign in as. In a database whose schema is still to come there are none.
func Accounts(ctx context.Context, db *database.DB, demo application.Demo) ([]application.DemoAccount, error) {
	err := migrator.New(migrate.Files, db.Dialect).Check(ctx, db.DB)
	if _, pending := errors.AsType[*migrator.PendingError](err); pending {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return demo.Usable(ctx, db)
}
