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

// TestFailureAmongRows runs a query that fails when its first row has come. The unit takes note, as of any other failure: without that,
// a conflict that shows so late would not be met with another attempt, and PostgreSQL's commit would quietly store nothing.
func TestFailureAmongRows(t *testing.T) {
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

// TestPanicAmongRows panics while rows are open: they are closed, and the connection comes back.
func TestPanicAmongRows(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, url string) {
		db := open(t, url)
		u := unit.New(db, unit.Write)
		if err := add(t.Context(), u.Client(), "a"); err != nil {
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
