// Package unit holds the unit of work: what one operation does to the database, on one connection, all or nothing.
//
// The operation's ent client is bound to it. The connection is taken, and the transaction begun, with the first statement;
// Commit or Rollback gives it back. Whoever uses the client cannot tell whether there is a transaction.
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

// Mode says how much a unit's statements must agree with each other.
type Mode int

// The modes.
const (
	Single   Mode = iota // one statement, for which no transaction is needed
	Snapshot             // only reads, all of one state of the database
	Write                // all is stored, or nothing
)

// Unit is a unit of work. Its client may be used by several goroutines: their statements queue up.
type Unit struct {
	db   *database.DB
	mode Mode

	once   sync.Once
	client any // see Client

	mu    sync.Mutex // held while a statement runs, and for as long as its rows are open
	conn  database.Conn
	begun bool
	done  bool
	cost  Cost
	last  error // the last failure of a statement, BEGIN and COMMIT included

	tooLong func()        // called once the connection has been held for
	after   time.Duration // so long
	timer   *time.Timer   // that calls it

	// broken is the failure after which the transaction cannot be committed any more. PostgreSQL answers COMMIT with a quiet
	// ROLLBACK then; SQLite would store the rest.
	broken error

	stored  string // the statement that has committed by itself, and changed something
	unknown bool   // the database has not said whether it has stored something
}

// Cost is what a unit's statements took, BEGIN and COMMIT left out.
type Cost struct {
	Statements int
	Time       time.Duration
}

// New returns a unit of work on db. End it with Commit or Rollback.
func New(db *database.DB, mode Mode) *Unit {
	return &Unit{db: db, mode: mode}
}

// WhenHeld has tell called if the unit holds a connection for longer than after. Call it before the unit's first statement.
func (u *Unit) WhenHeld(after time.Duration, tell func()) { u.after, u.tooLong = after, tell }

// Mode returns how much the unit's statements agree with each other.
func (u *Unit) Mode() Mode { return u.mode }

// Dialect returns ent's name for the kind of database.
func (u *Unit) Dialect() string { return u.db.Dialect }

// Cost returns what the unit's statements took so far.
func (u *Unit) Cost() Cost {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.cost
}

// Passing reports whether the unit failed, with nothing stored, for a reason that may be gone when its work is done again: others were
// in the way, the connection broke, or its server does not write any more. After Commit has succeeded it is false.
func (u *Unit) Passing() bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.unknown || u.stored != "" {
		return false
	}
	return database.Transient(u.last) || database.ConnectionLost(u.last) || u.mode == Write && database.ReadOnly(u.last)
}

// Away reports whether the unit failed because there was no database to be had for its work: no connection, or one to a server that
// only reads. Trying again costs that little.
func (u *Unit) Away() bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.conn.Conn == nil && database.ConnectionLost(u.last) || u.mode == Write && database.ReadOnly(u.last)
}

// Stored reports whether something is stored for good already, though Commit has not been called:
// by a statement that has committed by itself.
func (u *Unit) Stored() bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.stored != ""
}

// Unknown reports whether the database has not said if it has stored what the unit did.
func (u *Unit) Unknown() bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.unknown
}

// doubted returns the client's error if err leaves open whether a commit was carried out, and else err.
func (u *Unit) doubted(err error) error {
	if u.mode != Write || !database.OutcomeUnknown(err) {
		return err
	}
	u.unknown = true
	return apperr.OutcomeUnknown(err, false)
}

var errDone = errors.New("unit: the unit of work has ended")

// open makes sure that there is a connection, and a transaction if the mode asks for one and the statement is not alone. The caller
// holds mu.
func (u *Unit) open(ctx context.Context, alone bool) error {
	if u.done {
		return errDone
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if u.conn.Conn == nil {
		conn, err := u.db.Acquire(ctx)
		if err != nil {
			u.last = err
			return err
		}
		u.conn = conn
		if u.tooLong != nil {
			u.timer = time.AfterFunc(u.after, u.tooLong)
		}
	}
	// A single statement through PgBouncer has a transaction as well: only there can it be bounded.
	if u.begun || u.mode == Single && !u.db.Options.PgBouncer || alone {
		return nil
	}
	if _, err := u.conn.ExecContext(ctx, u.db.Begin(u.mode == Write)); err != nil {
		u.last = err
		return err
	}
	u.begun = true
	return nil
}

// Commit ends the unit and keeps what it did. If a statement has failed outside a savepoint, it keeps nothing and returns that
// error. If it returns another error, nothing is kept either, unless that is Unknown. It has a bound of its own, and does not depend on ctx.
func (u *Unit) Commit(ctx context.Context) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.done {
		return errDone
	}
	if u.broken != nil {
		u.rollback()
		return u.broken
	}
	if u.begun {
		if err := u.conn.Commit(ctx); err != nil {
			u.last = err
			err = u.doubted(err)
			u.rollback()
			return err
		}
		u.begun = false
	}
	u.release()
	return nil
}

// Rollback ends the unit and undoes what it did. After Commit it does nothing.
func (u *Unit) Rollback() {
	u.mu.Lock()
	defer u.mu.Unlock()
	if !u.done {
		u.rollback()
	}
}

// rollbackTime bounds a rollback, which must not depend on a request that may be over.
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

func (u *Unit) release() {
	u.done = true
	if u.timer != nil {
		u.timer.Stop()
	}
	if u.conn.Conn != nil {
		_ = u.conn.Close()
	}
}

type contextKey struct{}

// NewContext returns a context that carries u.
func NewContext(ctx context.Context, u *Unit) context.Context {
	return context.WithValue(ctx, contextKey{}, u)
}

// FromContext returns the unit that ctx carries. It panics if there is none: the caller is not part of an operation.
func FromContext(ctx context.Context) *Unit { return ctx.Value(contextKey{}).(*Unit) }

// Client returns the unit's client, of the application's own type C. The first call makes it with
// open, on a driver that sends every statement through the unit. Many units never need a client:
// their statements were written before.
func Client[C any](u *Unit, open func(dialect.Driver) C) C {
	u.once.Do(func() { u.client = open(boundDriver{u}) })
	return u.client.(C)
}
