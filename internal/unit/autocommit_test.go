package unit_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"strings"
	"testing"

	entsql "entgo.io/ent/dialect/sql"
	"github.com/google/uuid"

	"forge/ent"
	"forge/internal/unit"
	"forge/internal/viewer"
	"forge/test/dbtest"
)

// autocommit returns a context for a change that is declared to be the operation's last. If a table
// is given, the change returns its rows, and the second result counts them.
func autocommit(ctx context.Context, table string) (context.Context, *int) {
	returned := new(int)
	c := &unit.Change{Autocommit: true}
	if table != "" {
		c.Table, c.Returning = table, "id"
		c.Row = func([]driver.Value) error { *returned++; return nil }
	}
	return unit.WithChange(ctx, c), returned
}

// TestAutocommitOfSeveralStatements makes a change for which ent needs two statements. If the
// second fails, nothing is stored.
func TestAutocommitOfSeveralStatements(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, url string) {
		db := open(t, url)
		for _, table := range []string{"", "teams"} {
			err := do(t, db, unit.Write, func(ctx context.Context, c *ent.Client) error {
				ctx, _ = autocommit(ctx, table)
				return c.Team.Create().SetName("a").AddHeroIDs(uuid.New()).Exec(ctx)
			})
			if err == nil || teams(t, db) != 0 {
				t.Errorf("with a hero that does not exist: %v, and %d teams; want an error and none", err, teams(t, db))
			}
			err = do(t, db, unit.Write, func(ctx context.Context, c *ent.Client) error {
				hero := c.Hero.Create().SetName("h").SaveX(ctx)
				ctx, _ = autocommit(ctx, table)
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

// TestAutocommitAfterHook has an ent hook write to another table before the last change. Both
// writes are one transaction, and the returned rows are those of the change's own table.
func TestAutocommitAfterHook(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, url string) {
		db := open(t, url)
		for _, fails := range []bool{true, false} {
			u := unit.New(db, unit.Write)
			client := ent.UnitClient(u)
			client.Hero.Use(func(next ent.Mutator) ent.Mutator {
				return ent.MutateFunc(func(ctx context.Context, m ent.Mutation) (ent.Value, error) {
					if err := client.Team.Create().SetName("of the hook").Exec(ctx); err != nil {
						return nil, err
					}
					return next.Mutate(ctx, m)
				})
			})
			ctx, returned := autocommit(viewer.NewContext(unit.NewContext(t.Context(), u), viewer.System), "heroes")
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

// TestAutocommitRefusesSecondWrite writes again after a change that has committed by itself: from a
// resolver, from an ent hook, and in SQL. Each write is refused, with an error that names the first
// statement. A first statement that changes no rows does not count.
func TestAutocommitRefusesSecondWrite(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, url string) {
		db := open(t, url)
		for second, write := range map[string]func(context.Context, *ent.Client) error{
			"resolver": func(ctx context.Context, c *ent.Client) error {
				last, _ := autocommit(ctx, "")
				return errors.Join(c.Team.Create().SetName("resolver").Exec(last), c.Hero.Create().SetName("b").Exec(ctx))
			},
			"hook": func(ctx context.Context, c *ent.Client) error {
				c.Team.Use(func(next ent.Mutator) ent.Mutator {
					return ent.MutateFunc(func(ctx context.Context, m ent.Mutation) (ent.Value, error) {
						v, err := next.Mutate(ctx, m)
						return v, errors.Join(err, c.Hero.Create().SetName("b").Exec(ctx))
					})
				})
				last, _ := autocommit(ctx, "teams")
				return c.Team.Create().SetName("hook").Exec(last)
			},
			"sql": func(ctx context.Context, c *ent.Client) error {
				last, _ := autocommit(ctx, "")
				err := c.Team.Create().SetName("sql").Exec(last)
				_, second := unit.FromContext(ctx).Exec(ctx, "DELETE FROM heroes")
				return errors.Join(err, second)
			},
			"returning": func(ctx context.Context, c *ent.Client) error {
				last, _ := autocommit(ctx, "")
				none := func(*sql.Rows) error { return nil }
				return errors.Join(c.Team.Create().SetName("returning").Exec(last),
					unit.FromContext(ctx).Rows(ctx, none, "DELETE FROM heroes RETURNING id"))
			},
		} {
			err := do(t, db, unit.Write, write)
			if err == nil && db.Options.PgBouncer {
				continue // every unit has a transaction there
			}
			if err == nil || !strings.Contains(err.Error(), "teams") || !strings.Contains(err.Error(), "has committed by itself") {
				t.Errorf("%s: %v, want an error that names the statement on teams", second, err)
			}
		}
		err := do(t, db, unit.Write, func(ctx context.Context, c *ent.Client) error {
			last, _ := autocommit(ctx, "")
			if n, err := c.Team.Delete().Where(func(s *entsql.Selector) { s.Where(entsql.False()) }).Exec(last); n != 0 || err != nil {
				t.Errorf("%d deleted, %v", n, err)
			}
			return add(ctx, c, "b") // nothing was stored before
		})
		if err != nil {
			t.Errorf("after a change of nothing: %v", err)
		}
	})
}
