package database

import (
	"context"
	"errors"
	"log/slog"
	"strconv"
	"sync"
	"time"

	"entgo.io/ent/dialect"
	"github.com/lib/pq"

	"forge/internal/apperr"
	"forge/internal/retry"
)

// State is what the database says about itself.
type State struct {
	Writable bool // new transactions may write
	// The following are PostgreSQL's.

	Standby           bool     // it is a standby
	Timeline          int64    // grows with each promotion; 0 on a standby
	Fsync             bool     // it flushes to its disk
	SynchronousCommit string   // of the sessions of the pool
	StandbyNames      string   // synchronous_standby_names
	Standbys          []string // the names of the standbys that stream from it
}

// Synced reports whether a commit is acknowledged only when a standby has flushed it as well.
func (s State) Synced() bool {
	return s.StandbyNames != "" && (s.SynchronousCommit == "on" || s.SynchronousCommit == "remote_apply")
}

const stateQuery = `SELECT NOT current_setting('transaction_read_only')::bool, pg_is_in_recovery(),
	CASE WHEN pg_is_in_recovery() THEN '0' ELSE substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8) END,
	current_setting('fsync')::bool, current_setting('synchronous_commit'), current_setting('synchronous_standby_names'),
	ARRAY(SELECT COALESCE(application_name, '') FROM pg_stat_replication)`

// State asks the database for its state. It returns an error if the database does not answer.
func (db *DB) State(ctx context.Context) (s State, err error) {
	if db.Dialect == dialect.SQLite {
		s.Writable, err = db.Writable(ctx)
		return s, err
	}
	var timeline string
	err = db.QueryRowContext(ctx, stateQuery).Scan(&s.Writable, &s.Standby, &timeline, &s.Fsync,
		&s.SynchronousCommit, &s.StandbyNames, (*pq.StringArray)(&s.Standbys))
	if err != nil {
		return State{}, err
	}
	if db.Options.PgBouncer && db.Options.Synced {
		s.SynchronousCommit = synchronousCommit // set by each transaction
	}
	s.Timeline, err = strconv.ParseInt(timeline, 16, 64)
	return s, err
}

// synchronousCommit is what synchronous_commit is set to with Options.Synced.
const synchronousCommit = "on"

// The error of a commit that waited for no standby, because its server stopped asking for one.
var errNotSynced = errors.New("the server did not wait for a standby, or nobody knows whether it did")

// Watcher looks at the state of a database again and again. The methods of a nil Watcher do
// nothing.
type Watcher struct {
	db     *DB
	synced bool // changes may only be acknowledged when a standby has them
	log    *slog.Logger

	mu     sync.Mutex
	last   State
	err    error // of the last look; not nil before the first
	told   State // the last one of a database that answered
	flight *look // the look that runs
}

// look is one look at the database. state and err may be read after done is closed.
type look struct {
	done  chan struct{}
	state State
	err   error
}

// watchPause is the time between two looks, and awayPause that after a look at a database that did
// not answer.
const (
	watchPause = time.Second
	awayPause  = 100 * time.Millisecond
)

var errNotLooked = errors.New("nobody has looked at the database yet")

// NewWatcher returns a watcher that uses the connections of db. It has not looked yet.
func NewWatcher(db *DB, log *slog.Logger) *Watcher {
	return &Watcher{db: db, synced: db.Options.Synced, log: log, err: errNotLooked}
}

// Run looks each second until ctx ends, and logs what changes.
func (w *Watcher) Run(ctx context.Context) {
	if w == nil {
		return
	}
	var around sync.WaitGroup
	around.Go(func() { w.lookAround(ctx) })
	defer around.Wait()
	for ctx.Err() == nil {
		pause := retry.Backoff{First: watchPause}
		if _, err := w.Look(ctx); err != nil {
			pause.First = awayPause
		}
		_ = pause.Wait(ctx, 1)
	}
}

// lookAround asks each of several hosts by itself, again and again. If it finds a primary on a
// newer timeline, connections to the former one are not used again, although that may be alive: it
// may be cut off from the others.
func (w *Watcher) lookAround(ctx context.Context) {
	newest := w.db.Options.timeline
	for newest != nil && (retry.Backoff{First: aroundPause}).Wait(ctx, 1) == nil {
		hosts, _ := w.db.Hosts(ctx)
		for _, h := range hosts {
			if known := newest.Load(); h.Err == nil && !h.Standby && h.Timeline > known && newest.CompareAndSwap(known, h.Timeline) {
				w.db.connectionsLost()
			}
		}
	}
}

// aroundPause is the time between two looks at all hosts.
const aroundPause = 5 * time.Second

// Last returns the result of the last look. It returns an error if there was none.
func (w *Watcher) Last() (State, error) {
	if w == nil {
		return State{}, errNotLooked
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.last, w.err
}

// Known returns the last state of a database that answered. It is empty if none has.
func (w *Watcher) Known() State {
	if w == nil {
		return State{}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.told
}

// Look returns the state of the database at a time after the call of Look.
func (w *Watcher) Look(ctx context.Context) (State, error) {
	w.mu.Lock()
	running := w.flight
	w.mu.Unlock()
	if running != nil { // it may have begun too early
		if err := running.wait(ctx); err != nil {
			return State{}, err
		}
	}
	l := w.join(running)
	if err := l.wait(ctx); err != nil {
		return State{}, err
	}
	return l.state, l.err
}

// join returns the look that runs, or a new one if none but old runs.
func (w *Watcher) join(old *look) *look {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.flight == nil || w.flight == old {
		w.flight = &look{done: make(chan struct{})}
		go w.fly(w.flight)
	}
	return w.flight
}

// wait returns when the look has ended, or the error of ctx.
func (l *look) wait(ctx context.Context) error {
	select {
	case <-l.done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// fly looks. If a connection has fallen silent, the query may not return at its deadline. Then the
// database counts as away.
func (w *Watcher) fly(l *look) {
	ctx, cancel := context.WithTimeout(context.Background(), monitorTimeout)
	defer cancel()
	looked := make(chan look, 1)
	go func() {
		state, err := w.db.State(ctx)
		looked <- look{state: state, err: err}
	}()
	select {
	case found := <-looked:
		l.state, l.err = found.state, found.err
	case <-ctx.Done():
		l.err = ctx.Err()
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.tell(l.state, l.err)
	w.last, w.err, w.flight = l.state, l.err, nil
	close(l.done)
}

// tell logs a change of what a change is kept by. The caller holds mu.
func (w *Watcher) tell(now State, err error) {
	if err != nil || w.db.Dialect == dialect.SQLite {
		return
	}
	was := w.told
	w.told = now
	w.told.Timeline = max(now.Timeline, was.Timeline) // a standby says none
	if was.SynchronousCommit == "" {
		return // the first state is told at the start
	}
	if now.Timeline > was.Timeline && was.Timeline != 0 {
		w.log.Warn("another server is the primary now", "timeline", now.Timeline)
	}
	switch {
	case was.Synced() && !now.Synced() && !now.Standby:
		w.log.Warn("the database does not wait for a standby any more: what it acknowledges, it alone has",
			"synchronousCommit", now.SynchronousCommit, "synchronousStandbyNames", now.StandbyNames, "refusesChanges", w.synced)
	case !was.Synced() && now.Synced():
		w.log.Info("the database waits for a standby again", "synchronousStandbyNames", now.StandbyNames)
	}
}

// Promise returns a token for Confirm, before a change is made. With Options.Synced, it returns an
// *apperr.Error with the code UNAVAILABLE if the server acknowledges what it alone has.
func (w *Watcher) Promise() (timeline int64, err error) {
	if w == nil || !w.synced {
		return 0, nil
	}
	switch state, err := w.Last(); {
	case err != nil:
		return 0, unavailable(connectError{err})
	case !state.Standby && !state.Synced():
		return 0, &apperr.Error{Code: apperr.CodeUnavailable, Message: "the database keeps changes on one machine alone at present; try again", Cause: errNotSynced}
	default:
		return state.Timeline, nil
	}
}

// Confirm is called after a commit, with what Promise returned before it. With Options.Synced, it
// looks at the database again. It returns an error for which OutcomeUnknown is true unless the
// server of before is still the primary, and still waits for a standby.
func (w *Watcher) Confirm(ctx context.Context, timeline int64) error {
	if w == nil || !w.synced {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), confirmTimeout)
	defer cancel()
	state, err := w.Look(ctx)
	if err != nil || state.Timeline != timeline || !state.Synced() {
		return unanswered{errors.Join(errNotSynced, err)}
	}
	return nil
}

// confirmTimeout is how long Confirm waits for the database.
const confirmTimeout = 5 * time.Second
