package bootstrap

import (
	"context"
	"fmt"
	"slices"

	"forge/internal/application"
	"forge/internal/database"
	"forge/internal/demo"
	"forge/internal/migrator/catalog"
	"forge/internal/schema"
)

// strange returns demo.ErrNotEmpty if the database holds rows that somebody had before Forge: in a
// table that the application does not have, or in any table if its migrations begin with those of a
// database that was adopted.
func strange(ctx context.Context, app application.Application, db *database.DB) error {
	adopted, err := app.Migrator(db.Dialect).Adopted()
	if err != nil {
		return err
	}
	lines, err := catalog.Describe(ctx, db, db.Dialect)
	if err != nil {
		return err
	}
	for _, p := range catalog.Places(lines) {
		own := slices.ContainsFunc(app.Tables, func(t *schema.Table) bool { return t.Name == p.Table })
		if p.Column != "" || own && !adopted {
			continue
		}
		var rows bool
		if err := db.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM "+catalog.Quote(p.Table)+")").Scan(&rows); err != nil {
			return fmt.Errorf("look for rows in %s: %w", p.Table, err)
		}
		if rows {
			return demo.ErrNotEmpty
		}
	}
	return nil
}
