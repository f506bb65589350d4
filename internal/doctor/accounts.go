package doctor

import (
	"context"
	"strings"

	"forge/internal/database"
)

// accounts reports demo accounts in production. A database that began in development may have them.
func (d *Doctor) accounts(ctx context.Context, db *database.DB) []Finding {
	if !d.config.Production || !d.config.Auth {
		return nil
	}
	usable, err := d.app.Demo.Usable(ctx, db)
	if err != nil || len(usable) == 0 {
		return nil // the checks schema and permissions report tables that cannot be read
	}
	var names []string
	for _, a := range usable {
		names = append(names, a.Username+" ("+a.Role+")")
	}
	return []Finding{fail("accounts", "everybody knows the passwords of demo users: "+strings.Join(names, ", "), "Give them others with changePassword, or delete them.")}
}
