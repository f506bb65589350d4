package read

import (
	"context"
	"database/sql"
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
	"forge/internal/database"
	"forge/internal/unit"
	"forge/test/dbtest"
)

// gathering is a statement that does not end while the gate is closed, and what came of the requests for it.
type gathering struct {
	*testing.T
	db    *database.DB
	gate  *sql.Conn
	s     *statement
	mu    sync.Mutex
	texts []string // that have run
	done  sync.WaitGroup
}

// gather returns a gathering with the gate closed and as many requests running as run at once.
func gather(t *testing.T) *gathering {
	longPatience(t, time.Minute)
	db, err := database.Open(dbtest.Postgres(t), database.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	g := &gathering{T: t, db: db}
	db.Watch = func(_ context.Context, text string, _ time.Duration, _ error) {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.texts = append(g.texts, text)
	}
	g.s = &statement{shared: new(shared)}
	g.s.Text, g.s.Args = "SELECT $1::uuid::text FROM (SELECT pg_advisory_xact_lock_shared(1)) gate", []any{parameter{of: theKeys}}
	g.joint("SELECT a::text, n FROM (SELECT pg_advisory_xact_lock_shared(1)) gate, unnest($1::uuid[]) WITH ORDINALITY p(a, n)")
	if g.gate, err = db.DB.Conn(t.Context()); err != nil {
		t.Fatal(err)
	}
	g.turn("pg_advisory_lock(1)")
	for range atOnce {
		g.ask(t.Context())
	}
	g.until("the first run", func() bool { return g.locked() == atOnce })
	t.Cleanup(g.done.Wait)
	return g
}

// joint sets the statement for several.
func (g *gathering) joint(text string) {
	g.s.shared.joint.Store(&joint{unit.Statement{Text: text}, []parameter{{of: theKeys}}})
}

// longPatience has requests wait for so long. Tests that call it do not run in parallel.
func longPatience(t *testing.T, d time.Duration) {
	before := statementPatience
	statementPatience = d
	t.Cleanup(func() { statementPatience = before })
}

func (g *gathering) turn(gate string) {
	if _, err := g.gate.ExecContext(context.WithoutCancel(g.Context()), "SELECT "+gate); err != nil {
		g.Error(err)
	}
}

// open lets the statement end, now and from now on.
func (g *gathering) open() { g.turn("pg_advisory_unlock(1)") }

// locked returns how many statements wait for the gate.
func (g *gathering) locked() (n int) {
	err := g.gate.QueryRowContext(g.Context(), "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())").Scan(&n)
	if err != nil {
		g.Fatal(err)
	}
	return n
}

func (g *gathering) waiting() int {
	g.s.shared.mu.Lock()
	defer g.s.shared.mu.Unlock()
	return len(g.s.shared.waiting)
}

func (g *gathering) until(what string, true func() bool) {
	g.Helper()
	for end := time.Now().Add(time.Minute); !true(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			g.Fatalf("%s: never", what)
		}
	}
}

// asked is a request, and what came of it once the gathering is done.
type asked struct {
	key  uuid.UUID
	rows []string
	err  error
	done chan struct{}
	unit *unit.Unit
	row  func([]driver.Value) error
}

// ask runs the statement in a goroutine.
func (g *gathering) ask(ctx context.Context) *asked {
	a := &asked{key: uuid.New(), done: make(chan struct{})}
	a.row = func(values []driver.Value) error {
		if text, ok := values[0].(*[]byte); ok {
			values[0] = string(*text)
		}
		a.rows = append(a.rows, fmt.Sprint(values[0]))
		return nil
	}
	g.start(ctx, a)
	return a
}

func (g *gathering) start(ctx context.Context, a *asked) {
	f := &fetch{run: &run{Engine: new(Engine), unit: unit.New(g.db, unit.Single)}, keys: []uuid.UUID{a.key}}
	a.unit = f.unit
	g.done.Go(func() {
		defer close(a.done)
		defer f.unit.Rollback()
		defer func() {
			if panicked := recover(); panicked != nil {
				a.err = fmt.Errorf("panic: %v", panicked)
			}
		}()
		if !f.mayShare(g.s) {
			g.Error("the statement may not be shared")
		}
		a.err = g.s.readShared(ctx, f, func(values []driver.Value) error {
			g.mu.Lock()
			row := a.row
			g.mu.Unlock()
			return row(values)
		})
	})
}

// takes says what a request does with each row.
func (g *gathering) takes(a *asked, row func([]driver.Value) error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	a.row = row
}

// asks has n more wait, one after the other.
func (g *gathering) asks(ctx context.Context, n int) (all []*asked) {
	g.Helper()
	for range n {
		before := g.waiting()
		all = append(all, g.ask(ctx))
		g.until("the next one waits", func() bool { return g.waiting() == before+1 })
	}
	return all
}

func (g *gathering) joints() (n int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, text := range g.texts {
		if strings.Contains(text, "unnest") {
			n++
		}
	}
	return n
}

// served fails the test unless each has got its own row and nothing else.
func (g *gathering) served(all ...*asked) {
	g.Helper()
	for i, a := range all {
		if <-a.done; a.err != nil || !slices.Equal(a.rows, []string{a.key.String()}) {
			g.Errorf("request %d for %s: %v, %v", i, a.key, a.rows, a.err)
		}
	}
}

func TestShare(t *testing.T) {
	t.Run("one run for all who wait", func(t *testing.T) {
		g := gather(t)
		all := g.asks(t.Context(), 20)
		g.open()
		g.served(all...)
		g.done.Wait()
		if n := g.joints(); n != 1 {
			t.Errorf("%d runs for several, want 1: %q", n, g.texts)
		}
		if c := g.s.shared; c.running != 0 || len(c.waiting) != 0 {
			t.Errorf("%d running and %d waiting when all is over", c.running, len(c.waiting))
		}
		g.served(g.ask(t.Context()))
	})

	t.Run("all of it is counted for each", func(t *testing.T) {
		g := gather(t)
		all := g.asks(t.Context(), 5)
		g.open()
		g.done.Wait()
		for _, a := range all {
			if cost := a.unit.Cost(); cost.Statements != 1 || cost.Time <= 0 {
				t.Errorf("a request has cost %+v", cost)
			}
		}
		if len(g.texts) != atOnce+1 {
			t.Errorf("%d statements told of, want each that has run once: %q", len(g.texts), g.texts)
		}
	})

	t.Run("no more than there is room for", func(t *testing.T) {
		g := gather(t)
		all := g.asks(t.Context(), requestsTogether)
		extra := g.ask(t.Context())
		g.until("one more runs its own", func() bool { return g.locked() == atOnce+1 })
		g.open()
		g.served(append(all, extra)...)
	})

	t.Run("who leaves holds up nobody", func(t *testing.T) {
		g := gather(t)
		ctx, leave := context.WithCancel(t.Context())
		first := g.asks(ctx, 1)
		rest := g.asks(t.Context(), 2)
		last := g.asks(ctx, 1)
		leave()
		for _, a := range slices.Concat(first, last) {
			if <-a.done; !errors.Is(a.err, context.Canceled) {
				t.Errorf("the one who left: %v", a.err)
			}
		}
		g.open()
		g.served(rest...)
	})

	t.Run("whose time is up before its turn passes it on", func(t *testing.T) {
		g := gather(t)
		over, cancel := context.WithCancel(t.Context())
		cancel()
		me, next := &sharer[asking]{}, &sharer[asking]{turn: make(chan []*sharer[asking], 1)}
		if err := g.s.shared.lead(over, []*sharer[asking]{me, next}, g.s.readFor); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
		if party := <-next.turn; len(party) != 1 || party[0] != next {
			t.Errorf("the next one is to run for %v", party)
		}
		g.open()
	})

	t.Run("who leaves while running for others", func(t *testing.T) {
		g := gather(t)
		ctx, leave := context.WithCancel(t.Context())
		g.joint(strings.Replace(g.s.shared.joint.Load().Text, "shared(1)", "shared(2)", 1))
		g.turn("pg_advisory_lock(2)")
		leader := g.asks(ctx, 1)[0]
		rest := g.asks(t.Context(), 3)
		g.open()
		g.until("the run for all", func() bool { return g.locked() == 1 && g.waiting() == 0 })
		leave()
		if <-leader.done; leader.err == nil || leader.err == errAlone {
			t.Errorf("who left: %v", leader.err)
		}
		for _, a := range rest {
			if <-a.done; a.err != errAlone {
				t.Errorf("who shared it: %v", a.err)
			}
		}
		g.turn("pg_advisory_unlock(2)")
	})

	t.Run("whose time is up while others work for it", func(t *testing.T) {
		g := gather(t)
		g.joint(strings.Replace(g.s.shared.joint.Load().Text, "shared(1)", "shared(2)", 1))
		g.turn("pg_advisory_lock(2)")
		ctx, leave := context.WithCancel(t.Context())
		leader := g.asks(t.Context(), 1)[0]
		gone := g.asks(ctx, 1)[0]
		last := g.asks(t.Context(), 1)[0]
		g.open()
		g.until("the run for all", func() bool { return g.locked() == 1 && g.waiting() == 0 })
		leave()
		if <-gone.done; !errors.Is(gone.err, context.Canceled) {
			t.Errorf("who left: %v", gone.err)
		}
		g.turn("pg_advisory_unlock(2)")
		g.served(leader, last)
	})

	t.Run("nobody is called who has left", func(t *testing.T) {
		c := &crowd[asking]{running: 1}
		gone, there := &sharer[asking]{gone: true}, &sharer[asking]{turn: make(chan []*sharer[asking], 1)}
		c.handOn([]*sharer[asking]{gone, there})
		if party := <-there.turn; len(party) != 1 || party[0] != there {
			t.Errorf("called for %v", party)
		}
		if c.handOn([]*sharer[asking]{gone}); c.running != 0 {
			t.Errorf("%d are at work, with all gone", c.running)
		}
	})

	t.Run("a failure is not that of the others", func(t *testing.T) {
		g := gather(t)
		g.joint("SELECT 1 / 0, count(*) FROM unnest($1::uuid[])")
		all := g.asks(t.Context(), 3)
		g.open()
		g.done.Wait()
		if all[0].err == nil || all[0].err == errAlone {
			t.Errorf("who ran it: %v", all[0].err)
		}
		for _, a := range all[1:] {
			if a.err != errAlone {
				t.Errorf("who shared it: %v", a.err)
			}
		}
	})

	t.Run("no connection is the failure of all", func(t *testing.T) {
		none := &apperr.Error{Code: apperr.CodeUnavailable}
		if err := toOthers(none); err != error(none) {
			t.Errorf("got %v", err)
		}
		if err := toOthers(context.Canceled); err != errAlone {
			t.Errorf("got %v", err)
		}
	})

	t.Run("a row that one cannot take", func(t *testing.T) {
		g := gather(t)
		bad := errors.New("bad row")
		all := g.asks(t.Context(), 3)
		for _, a := range all[:2] {
			g.takes(a, func([]driver.Value) error { return bad })
		}
		g.open()
		g.served(all[2])
		for _, a := range all[:2] {
			if <-a.done; a.err != bad {
				t.Errorf("got %v", a.err)
			}
		}
	})

	t.Run("a panic", func(t *testing.T) {
		g := gather(t)
		all := g.asks(t.Context(), 3)
		g.takes(all[1], func([]driver.Value) error { panic("no") })
		g.open()
		g.done.Wait()
		if all[0].err == nil || all[1].err != errAlone || all[2].err != errAlone {
			t.Errorf("got %v, %v, %v", all[0].err, all[1].err, all[2].err)
		}
		g.served(g.ask(t.Context())) // the crowd goes on
	})

	t.Run("patience ends", func(t *testing.T) {
		g := gather(t)
		longPatience(t, 10*time.Millisecond)
		a := g.ask(t.Context())
		if <-a.done; a.err != errAlone {
			t.Errorf("got %v", a.err)
		}
		g.open()
	})
}
