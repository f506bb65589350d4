package doctor

import (
	"context"
	"strings"

	"forge/internal/database"
	"forge/seed"
)

// accounts looks for demo users that a database has brought along from development.
func (d *Doctor) accounts(ctx context.Context, db *database.DB) []Finding {
	if !d.Settings.Production || !d.Settings.Auth {
		return nil
	}
	usable, err := seed.Usable(ctx, db)
	if err != nil || len(usable) == 0 {
		return nil // a table that cannot be read is what schema and permissions tell of
	}
	var names []string
	for _, a := range usable {
		names = append(names, a.Username+" ("+a.Role+")")
	}
	return []Finding{fail("accounts", "everybody knows the passwords of demo users: "+strings.Join(names, ", "), "Give them others with changePassword, or delete them.")}
}
