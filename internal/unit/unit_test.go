package unit_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"forge/ent"
	_ "forge/ent/runtime" // the defaults and policies of ent/schema
	"forge/ent/team"
	"forge/internal/apperr"
	"forge/internal/database"
	"forge/internal/unit"
	"forge/internal/viewer"
	"forge/test/dbtest"
)

func open(t *testing.T, url string) *database.DB {
	t.Helper()
	db, err := database.Open(url, database.Options{PoolSize: 4})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if n := db.Stats().InUse; n != 0 {
			t.Errorf("%d connections were not returned", n)
		}
		db.Close()
	})
	return db
}

// do runs f in a unit of work, and commits unless f returns an error.
func do(t *testing.T, db *database.DB, mode unit.Mode, f func(context.Context, *ent.Client) error) error {
	t.Helper()
	u := unit.New(db, mode)
	defer u.Rollback()
	if err := f(viewer.NewContext(unit.NewContext(t.Context(), u), viewer.System), ent.UnitClient(u)); err != nil {
		return err
	}
	return u.Commit(t.Context())
}

func teams(t *testing.T, db *database.DB) (n int) {
	t.Helper()
	err := do(t, db, unit.Single, func(ctx context.Context, c *ent.Client) (err error) {
		n, err = c.Team.Query().Count(ctx)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func add(ctx context.Context, c *ent.Client, name string) error {
	return c.Team.Create().SetName(name).Exec(viewer.NewContext(ctx, viewer.System))
}

func TestCommitAndRollback(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, url string) {
		db := open(t, url)
		oops := errors.New("oops")
		err := do(t, db, unit.Write, func(ctx context.Context, c *ent.Client) error {
			return errors.Join(add(ctx, c, "a"), oops)
		})
		if !errors.Is(err, oops) || teams(t, db) != 0 {
			t.Errorf("after a rollback: %v, %d teams, want %v and none", err, teams(t, db), oops)
		}
		if err := do(t, db, unit.Write, func(ctx context.Context, c *ent.Client) error { return add(ctx, c, "a") }); err != nil {
			t.Error(err)
		}
		if n := teams(t, db); n != 1 {
			t.Errorf("after a commit: %d teams, want 1", n)
		}
	})
}

// TestCommitAfterFailure commits after a statement has failed: the commit returns that failure.
// PostgreSQL itself would answer COMMIT without an error, and store nothing.
func TestCommitAfterFailure(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, url string) {
		db := open(t, url)
		err := do(t, db, unit.Write, func(ctx context.Context, c *ent.Client) error {
			if err := add(ctx, c, "a"); err != nil {
				return err
			}
			if err := add(ctx, c, "a"); err == nil {
				t.Error("two teams of one name were stored")
			}
			return nil
		})
		if v, ok := database.Violation(err); !ok || v.Rule != database.Unique {
			t.Errorf("the commit after a failed statement: %v, want the statement's error", err)
		}
		if n := teams(t, db); n != 0 {
			t.Errorf("%d teams are stored, want none", n)
		}
	})
}

func TestSavepoint(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, url string) {
		db := open(t, url)
		err := do(t, db, unit.Write, func(ctx context.Context, c *ent.Client) error {
			if err := add(ctx, c, "kept"); err != nil {
				return err
			}
			u := unit.FromContext(ctx)
			err := u.Savepoint(ctx, func() error {
				inner := u.Savepoint(ctx, func() error { return errors.Join(add(ctx, c, "inner"), add(ctx, c, "kept")) })
				if inner == nil {
					t.Error("the inner savepoint did not fail")
				}
				return add(ctx, c, "outer")
			})
			if err != nil {
				return err
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if n := teams(t, db); n != 2 {
			t.Errorf("%d teams, want the one before the savepoint and the one after the inner part", n)
		}
	})
}

// TestParallel uses one unit from many goroutines, as resolvers of parallel root fields do.
func TestParallel(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, url string) {
		db := open(t, url)
		err := do(t, db, unit.Write, func(ctx context.Context, c *ent.Client) error {
			var wg sync.WaitGroup
			errs := make([]error, 20)
			for i := range errs {
				wg.Go(func() {
					name := fmt.Sprint("team ", i)
					if errs[i] = add(ctx, c, name); errs[i] == nil {
						_, errs[i] = c.Team.Query().Where(team.Name(name)).Only(ctx)
					}
				})
			}
			wg.Wait()
			return errors.Join(errs...)
		})
		if err != nil {
			t.Fatal(err)
		}
		if n := teams(t, db); n != 20 {
			t.Errorf("%d teams, want 20", n)
		}
	})
}

func TestSnapshot(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, url string) {
		db := open(t, url)
		err := do(t, db, unit.Snapshot, func(ctx context.Context, c *ent.Client) error {
			before, err := c.Team.Query().Count(ctx)
			if err != nil {
				return err
			}
			if err := do(t, db, unit.Write, func(ctx context.Context, c *ent.Client) error { return add(ctx, c, "new") }); err != nil {
				return err
			}
			after, err := c.Team.Query().Count(ctx)
			if before != 0 || after != 0 {
				t.Errorf("a snapshot has %d teams, and then %d, want none", before, after)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

func TestUnitWithoutStatement(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, url string) {
		db := open(t, url)
		u := unit.New(db, unit.Write)
		if n := db.Stats().InUse; n != 0 {
			t.Errorf("a new unit holds %d connections, want none", n)
		}
		if err := u.Commit(t.Context()); err != nil {
			t.Error(err)
		}
		if err := add(t.Context(), ent.UnitClient(u), "late"); err == nil {
			t.Error("a statement after the end of the unit did not fail")
		}
	})
}

// TestCancelled cancels the request in the middle of a transaction: nothing is stored, and the
// connection returns to the pool.
func TestCancelled(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, url string) {
		db := open(t, url)
		u := unit.New(db, unit.Write)
		ctx, cancel := context.WithCancel(t.Context())
		if err := add(ctx, ent.UnitClient(u), "a"); err != nil {
			t.Fatal(err)
		}
		cancel()
		if err := add(ctx, ent.UnitClient(u), "b"); err == nil {
			t.Error("a statement of a cancelled request did not fail")
		}
		u.Rollback()
		if n := teams(t, db); n != 0 {
			t.Errorf("%d teams are stored, want none", n)
		}
	})
}

func TestPoolTimeout(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, url string) {
		db, err := database.Open(url, database.Options{PoolSize: 1, PoolTimeout: 50 * time.Millisecond})
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		holder := unit.New(db, unit.Write)
		if err := add(t.Context(), ent.UnitClient(holder), "a"); err != nil {
			t.Fatal(err)
		}
		waiter := unit.New(db, unit.Single)
		err = waiter.Rows(t.Context(), func(*sql.Rows) error { return nil }, "SELECT 1")
		if f, ok := errors.AsType[*apperr.Error](err); !ok || f.Code != apperr.CodeUnavailable {
			t.Errorf("without a free connection: %v, want UNAVAILABLE", err)
		}
		waiter.Rollback()
		holder.Rollback()
	})
}

// TestAddCost adds another unit's cost and error. If the error is transient, so is the unit.
func TestAddCost(t *testing.T) {
	u := unit.New(open(t, dbtest.SQLite(t)), unit.Snapshot)
	defer u.Rollback()
	if err := u.AddCost(unit.Cost{Statements: 3, Time: time.Second}, nil); err != nil || u.Transient() {
		t.Errorf("after a success: %v, transient is %t", err, u.Transient())
	}
	if cost := u.Cost(); cost.Statements != 3 || cost.Time != time.Second {
		t.Errorf("it cost %+v", cost)
	}
	if err := u.AddCost(unit.Cost{}, driver.ErrBadConn); err != driver.ErrBadConn || !u.Transient() {
		t.Errorf("after a lost connection: %v, transient is %t", err, u.Transient())
	}
}
