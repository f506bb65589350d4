package unit_test

import (
	"context"
	"database/sql/driver"
	"strings"
	"testing"

	entsql "entgo.io/ent/dialect/sql"
	"github.com/google/uuid"

	"forge/ent"
	"forge/internal/unit"
	"forge/internal/viewer"
	"forge/test/dbtest"
)

// last returns a context for the change that is said to be an operation's last, and what it has returned.
func last(ctx context.Context, table string) (context.Context, *int) {
	returned := new(int)
	c := &unit.Change{Alone: true}
	if table != "" {
		c.Table, c.Returning = table, "id"
		c.Row = func([]driver.Value) error { *returned++; return nil }
	}
	return unit.WithChange(ctx, c), returned
}

// TestLastOfSeveralStatements has what is said to be the last change be two statements, the second of which fails: nothing is stored.
func TestLastOfSeveralStatements(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, url string) {
		db := open(t, url)
		for _, table := range []string{"", "teams"} {
			err := do(t, db, unit.Write, func(ctx context.Context, c *ent.Client) error {
				ctx, _ = last(ctx, table)
				return c.Team.Create().SetName("a").AddHeroIDs(uuid.New()).Exec(ctx)
			})
			if err == nil || teams(t, db) != 0 {
				t.Errorf("with a hero that does not exist: %v, and %d teams; want an error and none", err, teams(t, db))
			}
			err = do(t, db, unit.Write, func(ctx context.Context, c *ent.Client) error {
				hero := c.Hero.Create().SetName("h").SaveX(ctx)
				ctx, _ = last(ctx, table)
				return c.Team.Create().SetName("a").AddHeroes(hero).Exec(ctx)
			})
			if err != nil || teams(t, db) != 1 {
				t.Errorf("with a hero: %v, and %d teams; want one", err, teams(t, db))
			}
			if err := do(t, db, unit.Write, func(ctx context.Context, c *ent.Client) error {
				_, err := c.Team.Delete().Exec(ctx)
				return err
			}); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// TestHookOfLast has a hook store something before the change that is said to be the last: what that returns is of its own table, and all
// is one transaction.
func TestHookOfLast(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, url string) {
		db := open(t, url)
		for _, fails := range []bool{true, false} {
			u := unit.New(db, unit.Write)
			client := u.Client()
			client.Hero.Use(func(next ent.Mutator) ent.Mutator {
				return ent.MutateFunc(func(ctx context.Context, m ent.Mutation) (ent.Value, error) {
					if err := client.Team.Create().SetName("of the hook").Exec(ctx); err != nil {
						return nil, err
					}
					return next.Mutate(ctx, m)
				})
			})
			ctx, returned := last(viewer.NewContext(unit.NewContext(t.Context(), u), viewer.System), "heroes")
			create := client.Hero.Create().SetName("h")
			if fails {
				create.SetTeamID(uuid.New())
			}
			err := create.Exec(ctx)
			if err == nil {
				err = u.Commit(ctx)
			}
			u.Rollback()
			want := map[bool]int{false: 1}[fails]
			if fails != (err != nil) || *returned != want || teams(t, db) != want {
				t.Errorf("%v, %d rows returned and %d teams; want %d", err, *returned, teams(t, db), want)
			}
		}
	})
}

// TestNothingAfterLast stores something after what was said to be the last change: it is refused, by an error that names the first.
func TestNothingAfterLast(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, url string) {
		db := open(t, url)
		err := do(t, db, unit.Write, func(ctx context.Context, c *ent.Client) error {
			alone, _ := last(ctx, "")
			if err := c.Team.Create().SetName("a").Exec(alone); err != nil {
				t.Fatal(err)
			}
			return c.Hero.Create().SetName("b").Exec(ctx)
		})
		if err == nil && db.Options.PgBouncer {
			return // there every unit has a transaction
		}
		if err == nil || !strings.Contains(err.Error(), "teams") || !strings.Contains(err.Error(), "has committed by itself") {
			t.Errorf("%v, want an error that names the statement on teams", err)
		}
		err = do(t, db, unit.Write, func(ctx context.Context, c *ent.Client) error {
			alone, _ := last(ctx, "")
			if n, err := c.Team.Delete().Where(func(s *entsql.Selector) { s.Where(entsql.False()) }).Exec(alone); n != 0 || err != nil {
				t.Errorf("%d deleted, %v", n, err)
			}
			return add(ctx, c, "b") // nothing was stored before
		})
		if err != nil {
			t.Errorf("after a change of nothing: %v", err)
		}
	})
}
