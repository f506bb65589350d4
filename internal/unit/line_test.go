package unit_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"forge/ent"
	"forge/internal/apperr"
	"forge/internal/database"
	"forge/internal/unit"
	"forge/internal/viewer"
	"forge/test/dbtest"
)

// writers opens SQLite with two connections, and returns a unit that has written and not ended.
func writers(t *testing.T, poolTimeout time.Duration) (*database.DB, *unit.Unit) {
	t.Helper()
	db, err := database.Open(dbtest.SQLite(t), database.Options{PoolSize: 2, PoolTimeout: poolTimeout})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if n := db.Stats().InUse; n != 0 {
			t.Errorf("%d connections were not returned", n)
		}
		db.Close()
	})
	first := unit.New(db, unit.Write)
	t.Cleanup(first.Rollback)
	if err := add(unit.NewContext(t.Context(), first), ent.UnitClient(first), "first"); err != nil {
		t.Fatal(err)
	}
	return db, first
}

// write adds a team in a unit of its own. With alone, the statement commits by itself.
func write(ctx context.Context, db *database.DB, name string, alone bool) error {
	u := unit.New(db, unit.Write)
	defer u.Rollback()
	ctx = viewer.NewContext(unit.NewContext(ctx, u), viewer.System)
	if alone {
		ctx, _ = autocommit(ctx, "")
	}
	if err := add(ctx, ent.UnitClient(u), name); err != nil {
		return err
	}
	return u.Commit(ctx)
}

// TestWritersStandInLine has more writers wait than there are connections. They hold none, so that
// reads go on.
func TestWritersStandInLine(t *testing.T) {
	t.Parallel()
	db, first := writers(t, time.Minute)
	var all sync.WaitGroup
	const waiting = 8
	for i := range waiting {
		all.Go(func() {
			if err := write(t.Context(), db, fmt.Sprint(i), i%2 == 0); err != nil {
				t.Error(err)
			}
		})
	}
	time.Sleep(50 * time.Millisecond) // so that they wait
	if n := db.Stats().InUse; n != 1 {
		t.Errorf("%d connections are in use while %d writers wait, want the first writer's", n, waiting)
	}
	if n := teams(t, db); n != 0 {
		t.Errorf("a read beside the writers sees %d teams, want none", n)
	}
	if err := first.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	all.Wait()
	if n := teams(t, db); n != waiting+1 {
		t.Errorf("%d teams are stored, want %d", n, waiting+1)
	}
}

func TestWritersLeaveTheLine(t *testing.T) {
	t.Parallel()
	for _, alone := range []bool{false, true} {
		db, first := writers(t, 50*time.Millisecond)
		err := write(t.Context(), db, "late", alone)
		if refused, ok := errors.AsType[*apperr.Error](err); !ok || refused.Code != apperr.CodeUnavailable {
			t.Errorf("past the pool timeout: %v, want UNAVAILABLE", err)
		}
		db.Options.PoolTimeout = time.Minute
		ctx, hangUp := context.WithTimeout(t.Context(), 50*time.Millisecond)
		if err := write(ctx, db, "gone", alone); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("past the request's deadline: %v", err)
		}
		hangUp()
		first.Rollback()
		if err := write(t.Context(), db, "next", alone); err != nil {
			t.Error(err)
		}
		if n := teams(t, db); n != 1 {
			t.Errorf("%d teams are stored, want the last one", n)
		}
	}
}

// TestTurnEndsWithTheStatement has a unit read on after a statement that has committed by itself.
func TestTurnEndsWithTheStatement(t *testing.T) {
	t.Parallel()
	db, first := writers(t, 5*time.Second)
	first.Rollback()
	u := unit.New(db, unit.Write)
	defer u.Rollback()
	ctx, _ := autocommit(viewer.NewContext(unit.NewContext(t.Context(), u), viewer.System), "")
	if err := add(ctx, ent.UnitClient(u), "alone"); err != nil {
		t.Fatal(err)
	}
	if err := write(t.Context(), db, "other", false); err != nil {
		t.Errorf("beside a unit that has written all: %v", err)
	}
}
