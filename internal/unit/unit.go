// Package unit holds the unit of work: all that one operation does in the database.
//
// A unit uses one connection, and stores either everything or nothing. The first statement takes
// the connection and begins the transaction; Commit or Rollback returns the connection to the
// pool. The operation's ent client is bound to its unit, so code that uses the client need not
// know whether there is a transaction.
//
// The one exception is a statement marked with Change.Autocommit. It runs without a transaction
// and is stored at once. Every later write in the same unit is refused.
package unit

import (
	"context"
	"database/sql/driver"
	"errors"
	"sync"
	"time"

	"entgo.io/ent/dialect"

	"forge/internal/apperr"
	"forge/internal/database"
)

// Mode is the isolation that the statements of a unit need.
type Mode int

// These are the modes of a unit.
const (
	Single   Mode = iota // one statement, which needs no transaction
	Snapshot             // reads only, all from the same state of the database
	Write                // reads and writes, stored together or not at all
)

// Unit is a unit of work. Several goroutines may use it at once: it runs their statements one
// after the other.
type Unit struct {
	db   *database.DB
	mode Mode

	once   sync.Once
	client any // see Client

	mu    sync.Mutex // held while a statement runs, and while its rows are open
	conn  database.Conn
	begun bool
	done  bool
	cost  Cost
	last  error // the error of the last statement that failed, including BEGIN and COMMIT

	late        time.Time     // see ConnectBy
	onLongHold  func()        // see OnLongHold
	holdLimit   time.Duration // see OnLongHold
	holdTimer   *time.Timer
	onPart      func() func() // see OnSavepoint
	onStatement func(text string, args []any)

	// aborted is an error after which the unit cannot be committed. PostgreSQL would answer COMMIT
	// with a silent ROLLBACK, and SQLite would store the statements that succeeded.
	aborted error

	checksPlans bool // see CheckPlans

	positioned bool                 // see WantPosition
	position   database.LogPosition // see Position

	endTurn func() // lets the next writer of SQLite begin; nil if it is not this unit's turn

	autocommitted  string // the statement that committed by itself and changed rows, or ""
	outcomeUnknown bool   // the database did not report whether a commit succeeded
	promise        int64  // see database.Watcher
}

// Cost counts a unit's statements and the time they took, without BEGIN and COMMIT.
type Cost struct {
	Statements int
	Time       time.Duration
}

// New returns a unit of work on db. The caller ends it with Commit or Rollback.
func New(db *database.DB, mode Mode) *Unit {
	return &Unit{db: db, mode: mode}
}

// ConnectBy sets a time after which the unit waits for no connection any more: the database then
// counts as one that cannot be reached. It must be called before the first statement.
func (u *Unit) ConnectBy(late time.Time) { u.late = late }

// OnLongHold makes the unit call f if it holds a connection for longer than limit. It must be
// called before the first statement.
func (u *Unit) OnLongHold(limit time.Duration, f func()) { u.holdLimit, u.onLongHold = limit, f }

// OnStatement sets a function that is called with the text and the arguments of each statement that
// the unit has run. The arguments are valid until the function returns.
// All statements are then run by the unit itself: see Watched.
func (u *Unit) OnStatement(f func(text string, args []any)) { u.onStatement = f }

// CheckPlans has Read refuse what the database expects to cost too much: see database.CheckPlan. It
// must be called before the first statement.
func (u *Unit) CheckPlans() { u.checksPlans = true }

// Watched reports whether the statements of the unit may not be run by another one.
func (u *Unit) Watched() bool { return u.onStatement != nil }

// OnSavepoint makes the unit call mark at each savepoint. It calls the function that mark returns
// if what follows the savepoint is undone.
func (u *Unit) OnSavepoint(mark func() (undo func())) { u.onPart = mark }

// Mode returns the mode that the unit was made with.
func (u *Unit) Mode() Mode { return u.mode }

// NeedSnapshot changes a unit of the mode Single to Snapshot. It must be called before the first
// statement.
func (u *Unit) NeedSnapshot() {
	if u.mode == Single {
		u.mode = Snapshot
	}
}

// Dialect returns ent's name for the kind of database.
func (u *Unit) Dialect() string { return u.db.Dialect }

// Distant reports whether the database is far away; see database.DB.Distant.
func (u *Unit) Distant() bool { return u.db.Distant() }

// Cost returns the cost of the statements so far.
func (u *Unit) Cost() Cost {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.cost
}

// Transient reports whether the unit failed for a reason that may be gone at another attempt: a
// conflict with others, a lost connection, or a server that has become read-only. It is false if
// anything was, or may have been, stored.
func (u *Unit) Transient() bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.last == nil || u.outcomeUnknown || u.autocommitted != "" {
		return false
	}
	return database.Transient(u.last) || database.ConnectionLost(u.last) || u.mode == Write && database.ReadOnly(u.last)
}

// Unavailable reports whether the unit failed because there was no database for its work: either
// no connection, or a server that is read-only. Another attempt costs such a database little.
func (u *Unit) Unavailable() bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.last != nil && (u.conn.Conn == nil && database.ConnectionLost(u.last) || u.mode == Write && database.ReadOnly(u.last))
}

// AbortedBy returns the error after which the unit cannot be committed, or nil.
func (u *Unit) AbortedBy() error {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.aborted
}

// Autocommitted reports whether a statement has committed by itself and changed rows. They stay
// stored whether or not Commit is called.
func (u *Unit) Autocommitted() bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.autocommitted != ""
}

// OutcomeUnknown reports whether a commit failed without the database saying if it was carried
// out.
func (u *Unit) OutcomeUnknown() bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.outcomeUnknown
}

// commitError returns the error for a failed commit: apperr.OutcomeUnknown if err does not say
// whether the commit was carried out, and err itself otherwise.
func (u *Unit) commitError(err error) error {
	if u.mode != Write || !database.OutcomeUnknown(err) {
		return err
	}
	u.outcomeUnknown = true
	return apperr.OutcomeUnknown(err, false)
}

var errDone = errors.New("unit: the unit of work has ended")

// Commit ends the unit and stores what it did. If a statement failed outside of a savepoint, Commit
// stores nothing and returns the error of that statement. After any other error nothing is stored
// either, unless OutcomeUnknown returns true. Commit continues when ctx ends, and has a time limit
// of its own.
func (u *Unit) Commit(ctx context.Context) error {
	return u.commit(ctx, func() (err error) {
		if u.positioned {
			u.position, err = u.conn.CommitAt(ctx)
			return err
		}
		return u.conn.Commit(ctx)
	})
}

// CommitAfter does the same as Commit, after a last statement that is sent together with the
// COMMIT. The unit must have been begun by BeginWith. If the statement fails, nothing is stored.
func (u *Unit) CommitAfter(ctx context.Context, s database.Statement) error {
	return u.commit(ctx, func() error {
		u.cost.Statements++
		return u.conn.CommitAfter(ctx, s)
	})
}

func (u *Unit) commit(ctx context.Context, do func() error) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.done {
		return errDone
	}
	if u.aborted != nil {
		u.rollback()
		return u.aborted
	}
	if u.begun {
		err := do()
		if err == nil && u.mode == Write {
			err = u.db.Watcher.Confirm(ctx, u.promise)
		}
		if err != nil {
			u.last, u.aborted = err, err
			err = u.commitError(err)
			u.rollback()
			return err
		}
	}
	u.release()
	return nil
}

// Rollback ends the unit and undoes what it did, except for a statement that committed by itself.
// After Commit it does nothing.
func (u *Unit) Rollback() {
	u.mu.Lock()
	defer u.mu.Unlock()
	if !u.done {
		u.rollback()
	}
}

// rollbackTime is the time limit of a rollback. The deadline of the request does not apply, because
// it may have passed.
const rollbackTime = 5 * time.Second

func (u *Unit) rollback() {
	if u.begun {
		ctx, cancel := context.WithTimeout(context.Background(), rollbackTime)
		defer cancel()
		if _, err := u.conn.ExecContext(ctx, "ROLLBACK"); err != nil {
			// A connection in an unknown state must not go back to the pool.
			_ = u.conn.Raw(func(any) error { return driver.ErrBadConn })
		}
	}
	u.release()
}

// Rest returns the connection to the pool if no transaction holds it. The next statement takes
// another one.
func (u *Unit) Rest() {
	u.mu.Lock()
	defer u.mu.Unlock()
	if !u.begun && !u.done {
		u.giveBack()
		u.letNextWrite()
	}
}

func (u *Unit) release() {
	u.done = true
	u.giveBack()
	u.letNextWrite() // after the connection, which the next one can then use
}

// letNextWrite ends the unit's turn as a writer, if it has one.
func (u *Unit) letNextWrite() {
	if u.endTurn != nil {
		u.endTurn()
		u.endTurn = nil
	}
}

func (u *Unit) giveBack() {
	if u.holdTimer != nil {
		u.holdTimer.Stop()
	}
	if u.conn.Conn != nil {
		_ = u.conn.Close()
		u.conn = database.Conn{}
	}
}

type contextKey struct{}

// NewContext returns a context that carries u.
func NewContext(ctx context.Context, u *Unit) context.Context {
	return context.WithValue(ctx, contextKey{}, u)
}

// FromContext returns the unit that ctx carries. It panics if ctx carries none, because then the
// caller runs outside of any operation.
func FromContext(ctx context.Context) *Unit { return ctx.Value(contextKey{}).(*Unit) }

// Apart returns a unit for one statement that reads, so that no connection is held afterwards. It
// is the unit of ctx if that holds a connection already: who holds one must not wait for another.
// The caller calls end.
func Apart(ctx context.Context, db *database.DB) (u *Unit, end func()) {
	if Holds(ctx) {
		return FromContext(ctx), func() {}
	}
	u = New(db, Single)
	return u, u.Rollback
}

// Holds reports whether ctx carries a unit that holds a connection.
func Holds(ctx context.Context) bool {
	u, ok := ctx.Value(contextKey{}).(*Unit)
	if !ok {
		return false
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.conn.Conn != nil
}

// Client returns the unit's client, whose type C is the application's. The first call makes the
// client with open, on a driver that sends every statement through the unit. Many units run only
// statements that were written before, and never make a client.
func Client[C any](u *Unit, open func(dialect.Driver) C) C {
	u.once.Do(func() { u.client = open(boundDriver{u}) })
	return u.client.(C)
}
