package unit_test

import (
	"context"
	"database/sql"
	"testing"

	entsql "entgo.io/ent/dialect/sql"

	"forge/ent"
	"forge/internal/unit"
	"forge/test/dbtest"
)

// TestRowsFailure runs a query that fails after its first row. The unit must record this failure
// like any other. Otherwise the operation would not be tried again after a conflict, and
// PostgreSQL's COMMIT would silently store nothing.
func TestRowsFailure(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, url string) {
		db := open(t, url)
		var failure error
		err := do(t, db, unit.Write, func(ctx context.Context, c *ent.Client) error {
			for _, name := range []string{"1", "-9223372036854775808"} {
				if err := add(ctx, c, name); err != nil {
					return err
				}
			}
			tooLarge := func(s *entsql.Selector) { s.Where(entsql.ExprP("abs(CAST(name AS bigint)) > 0")) }
			_, failure = c.Team.Query().Where(tooLarge).All(ctx)
			return nil
		})
		if failure == nil || err == nil {
			t.Errorf("the query failed with %v, and the commit with %v; want errors", failure, err)
		}
		if n := teams(t, db); n != 0 {
			t.Errorf("%d teams are stored, want none", n)
		}
	})
}

// TestRowsPanic panics while rows are open: they are closed, and the connection returns to the
// pool.
func TestRowsPanic(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, url string) {
		db := open(t, url)
		u := unit.New(db, unit.Write)
		if err := add(t.Context(), ent.UnitClient(u), "a"); err != nil {
			t.Fatal(err)
		}
		func() {
			defer func() {
				if recover() == nil {
					t.Error("the panic is gone")
				}
			}()
			_ = u.Rows(t.Context(), func(rows *sql.Rows) error {
				rows.Next()
				panic("oops")
			}, "SELECT 1 UNION SELECT 2")
		}()
		u.Rollback()
		if n := teams(t, db); n != 0 {
			t.Errorf("%d teams are stored, want none", n)
		}
	})
}
