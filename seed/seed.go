// The data depend only on the scale. The same scale results in the same rows on every machine and
// in both kinds of database, even in the same keys and times.
package seed

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"entgo.io/ent/dialect"

	"forge/ent/user"
	"forge/internal/database"
	"forge/internal/demo"
	"forge/internal/progress"
	"forge/internal/unit"
)

// Demo is the scale of the data that a server stores when it starts with an empty database.
const Demo = 5

// MaxScale is the largest scale: 1,000,000 users, and more of other rows.
const MaxScale = 50_000

// Run stores the demo data of a scale from 1 to MaxScale. About says what each step of the scale
// adds. Run stores everything or nothing. It returns demo.ErrNotEmpty if the database has any row.
func Run(ctx context.Context, db *database.DB, scale int) error { return Fill(ctx, db, scale, false) }

// Fill does the same as Run. If passwords is true, Accounts get their passwords, which everybody
// knows.
func Fill(ctx context.Context, db *database.DB, scale int, passwords bool) error {
	if scale < 1 || scale > MaxScale {
		return fmt.Errorf("the scale of demo data is a number from 1 to %d, not %d", MaxScale, scale)
	}
	progress.At(ctx, "making rows")
	d := generate(scale) // takes a minute at the largest scale, for which no transaction may wait
	if passwords {
		d.setPasswords()
	}
	u := unit.New(db, unit.Write)
	defer u.Rollback()
	if err := mustBeEmpty(ctx, u); err != nil {
		return err
	}
	if err := store(ctx, u, d); err != nil {
		return fmt.Errorf("store demo data: %w", err)
	}
	progress.At(ctx, "storing")
	if u.Dialect() == dialect.Postgres {
		// Until PostgreSQL has analyzed the tables, it plans queries as if they were empty. By
		// itself, it analyzes them a minute later.
		if _, err := u.Exec(ctx, "ANALYZE"); err != nil {
			return err
		}
	}
	return u.Commit(ctx)
}

// mustBeEmpty returns demo.ErrNotEmpty if the database has rows. It also keeps others from filling
// the database until u ends.
func mustBeEmpty(ctx context.Context, u *unit.Unit) error {
	// On SQLite, u already is the only writer.
	if u.Dialect() == dialect.Postgres {
		if _, err := u.Exec(ctx, "LOCK TABLE "+user.Table+" IN SHARE ROW EXCLUSIVE MODE"); err != nil {
			return err
		}
	}
	var filled bool
	each := func(rows *sql.Rows) error {
		rows.Next()
		return rows.Scan(&filled)
	}
	var found []string
	for _, t := range tables {
		found = append(found, "EXISTS (SELECT 1 FROM "+t.name+")")
	}
	if err := u.Rows(ctx, each, "SELECT "+strings.Join(found, " OR ")); err != nil {
		return fmt.Errorf("look for rows: %w", err)
	}
	if filled {
		return demo.ErrNotEmpty
	}
	return nil
}
