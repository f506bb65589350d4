package load

import (
	"context"
	stdsql "database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"forge/internal/apperr"
	"forge/internal/coalesce"
	"forge/internal/database"
	"forge/internal/ids"
	"forge/internal/read/sql"
	"forge/internal/unit"
	"forge/test/dbtest"
)

// gated is a statement on PostgreSQL that does not end as long as its gate is closed.
type gated struct {
	*testing.T
	db      *database.DB
	gate    *stdsql.Conn
	s       *statement
	mu      sync.Mutex
	texts   []string // the statements that have run
	running sync.WaitGroup
}

// newGated returns a gated statement whose gate is closed, with as many requests running it as may
// run at once.
func newGated(t *testing.T) *gated {
	db, err := database.Open(dbtest.Postgres(t), database.Options{MaxPlanCost: 10_000})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	g := &gated{T: t, db: db}
	db.Watch = func(_ context.Context, text string, _ time.Duration, _ error) {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.texts = append(g.texts, text)
	}
	keys := sql.Parameter{}
	g.s = &statement{shared: &shared{patience: time.Minute}, Statement: &sql.Statement{Args: []any{keys},
		Text: "SELECT $1::uuid::text FROM (SELECT pg_advisory_xact_lock_shared(1)) gate"}}
	g.s.shared.batch.Store(&sql.Batch{Columns: []sql.Parameter{keys},
		Text: "SELECT a::text, n FROM (SELECT pg_advisory_xact_lock_shared(1)) gate, unnest($1::uuid[]) WITH ORDINALITY p(a, n)"})
	if g.gate, err = db.DB.Conn(t.Context()); err != nil {
		t.Fatal(err)
	}
	g.turn("pg_advisory_lock(1)")
	for range coalesce.Concurrency {
		g.ask(nil)
	}
	g.until("the first run", func() bool { return g.locked() == coalesce.Concurrency })
	t.Cleanup(g.running.Wait)
	return g
}

func (g *gated) turn(gate string) {
	if _, err := g.gate.ExecContext(context.WithoutCancel(g.Context()), "SELECT "+gate); err != nil {
		g.Error(err)
	}
}

// open opens the gate: statements end, now and from now on.
func (g *gated) open() { g.turn("pg_advisory_unlock(1)") }

// locked returns how many statements wait at the gate.
func (g *gated) locked() (n int) {
	err := g.gate.QueryRowContext(g.Context(), `SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
		AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`).Scan(&n)
	if err != nil {
		g.Fatal(err)
	}
	return n
}

func (g *gated) until(what string, true func() bool) {
	g.Helper()
	for end := time.Now().Add(time.Minute); !true(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			g.Fatalf("%s: never", what)
		}
	}
}

// asked is a request for the statement. rows and err are set when done is closed.
type asked struct {
	key  uuid.UUID
	rows []string
	err  error
	done chan struct{}
	unit *unit.Unit
}

// ask runs the statement in a goroutine. If take is not nil, it is called with each row.
func (g *gated) ask(take func([]driver.Value) error) *asked {
	a := &asked{key: uuid.New(), done: make(chan struct{}), unit: unit.New(g.db, unit.Single)}
	if take == nil {
		take = func(values []driver.Value) error {
			a.rows = append(a.rows, fmt.Sprint(values[0]))
			return nil
		}
	}
	a.unit.CheckPlans()
	f := &fetch{loading: &Loading{Request: Request{Unit: a.unit}}, query: sql.Query{Dialect: "postgres", Keys: []ids.Key{{UUID: a.key}}}}
	g.running.Go(func() {
		defer close(a.done)
		defer a.unit.Rollback()
		a.err = f.runShared(g.Context(), g.s, take)
	})
	return a
}

// asks makes n requests, and returns when all of them wait for the statement; see ask.
func (g *gated) asks(n int, take func([]driver.Value) error) (all []*asked) {
	g.Helper()
	for range n {
		before := g.s.shared.group.Waiting()
		all = append(all, g.ask(take))
		g.until("the next one waits", func() bool { return g.s.shared.group.Waiting() == before+1 })
	}
	return all
}

// batches returns how many statements have run that serve several requests.
func (g *gated) batches() (n int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, text := range g.texts {
		if strings.Contains(text, "unnest") {
			n++
		}
	}
	return n
}

// served fails the test unless each request got its own row and no other.
func (g *gated) served(all ...*asked) {
	g.Helper()
	for i, a := range all {
		if <-a.done; a.err != nil || !slices.Equal(a.rows, []string{a.key.String()}) {
			g.Errorf("request %d for %s: %v, %v", i, a.key, a.rows, a.err)
		}
	}
}

func TestBatch(t *testing.T) {
	t.Run("one run for all who wait", func(t *testing.T) {
		g := newGated(t)
		all := g.asks(20, nil)
		g.open()
		g.served(all...)
		if n := g.batches(); n != 1 {
			t.Errorf("%d runs for several, want 1: %q", n, g.texts)
		}
		g.served(g.ask(nil))
	})

	t.Run("all of it is counted for each", func(t *testing.T) {
		g := newGated(t)
		all := g.asks(5, nil)
		g.open()
		for _, a := range all {
			if <-a.done; a.err != nil || (a.unit.Cost().Statements != 1 || a.unit.Cost().Time <= 0) {
				t.Errorf("a request has cost %+v", a.unit.Cost())
			}
		}
	})

	t.Run("no more than there is room for", func(t *testing.T) {
		g := newGated(t)
		all := g.asks(maxBatch, nil)
		extra := g.ask(nil)
		g.until("one more runs its own", func() bool { return g.locked() == coalesce.Concurrency+1 })
		g.open()
		g.served(append(all, extra)...)
	})

	t.Run("a row that one cannot take", func(t *testing.T) {
		g := newGated(t)
		bad := errors.New("bad row")
		refused := g.asks(2, func([]driver.Value) error { return bad })
		taken := g.asks(1, nil)[0]
		g.open()
		g.served(taken)
		for _, a := range refused {
			if <-a.done; a.err != bad {
				t.Errorf("got %v", a.err)
			}
		}
	})

	t.Run("what costs too much together", func(t *testing.T) {
		g := newGated(t)
		g.s.shared.batch.Store(&sql.Batch{Columns: []sql.Parameter{{}},
			Text: "SELECT a::text, n FROM generate_series(1, 10000000), unnest($1::uuid[]) WITH ORDINALITY p(a, n)"})
		all := g.asks(3, nil)
		g.open()
		for _, a := range all {
			if <-a.done; a.err != coalesce.ErrNotShared {
				t.Errorf("a request does not try by itself: %v", a.err)
			}
		}
	})

	t.Run("a failure is not that of the others", func(t *testing.T) {
		g := newGated(t)
		g.s.shared.batch.Store(&sql.Batch{Text: "SELECT 1 / 0, count(*) FROM unnest($1::uuid[])", Columns: []sql.Parameter{{}}})
		all := g.asks(3, nil)
		g.open()
		if <-all[0].done; all[0].err == nil || all[0].err == coalesce.ErrNotShared {
			t.Errorf("the leader: %v", all[0].err)
		}
		for _, a := range all[1:] {
			if <-a.done; a.err != coalesce.ErrNotShared {
				t.Errorf("another one: %v", a.err)
			}
		}
	})
}

func TestCommonFailure(t *testing.T) {
	t.Parallel()
	if !CommonFailure(&apperr.Error{Code: apperr.CodeUnavailable}) {
		t.Error("that there is no connection is the failure of one")
	}
	if CommonFailure(context.Canceled) {
		t.Error("that one request ends is the failure of all")
	}
}
