// Package seed fills an empty database with demo data: people and their heroes, teams, products with their stock,
// orders.
//
// The data depend on the scale alone: the same scale gives the same rows, down to the last key and microsecond, on
// every machine and in both kinds of database.
package seed

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"entgo.io/ent/dialect"

	"forge/ent/user"
	"forge/internal/database"
	"forge/internal/unit"
)

// Demo is the scale of the data that a server fills an empty database with when it starts.
const Demo = 5

// MaxScale is the largest scale: 200,000 users and 2,000,000 heroes.
const MaxScale = 10_000

// ErrNotEmpty says that there are rows already. Demo data never mix with what somebody stored.
var ErrNotEmpty = errors.New("the database is not empty: demo data are only for an empty one")

// Run stores the demo data of a scale, from 1 to MaxScale: for each step of it 20 users, 1 team, 200 heroes (10 a
// user), 5 products and 100 orders (5 a user) of 3 items. All is stored, or nothing; ErrNotEmpty if there is anything
// in the database.
func Run(ctx context.Context, db *database.DB, scale int) error { return run(ctx, db, scale, false) }

// RunOpen is Run, and gives Accounts their passwords, which everybody knows.
func RunOpen(ctx context.Context, db *database.DB, scale int) error { return run(ctx, db, scale, true) }

func run(ctx context.Context, db *database.DB, scale int, open bool) error {
	if scale < 1 || scale > MaxScale {
		return fmt.Errorf("the scale of demo data is a number from 1 to %d, not %d", MaxScale, scale)
	}
	u := unit.New(db, unit.Write)
	defer u.Rollback()
	if err := mustBeEmpty(ctx, u); err != nil {
		return err
	}
	d := generate(scale)
	if open {
		d.open()
	}
	if err := store(ctx, u, d); err != nil {
		return fmt.Errorf("store demo data: %w", err)
	}
	if u.Dialect() == dialect.Postgres {
		// Until it has looked at the rows it plans for empty tables, and by itself it looks a minute later.
		if _, err := u.Exec(ctx, "ANALYZE"); err != nil {
			return err
		}
	}
	return u.Commit(ctx)
}

// mustBeEmpty returns ErrNotEmpty if there are rows. Until u ends nobody else can fill the database.
func mustBeEmpty(ctx context.Context, u *unit.Unit) error {
	// SQLite has one writer anyway, and u is it.
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
		return ErrNotEmpty
	}
	return nil
}
