package session

import (
	"cmp"
	"context"
	"crypto/sha256"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"

	"forge/internal/apperr"
	"forge/internal/database"
	"forge/internal/shared"
	"forge/internal/unit"
)

// These limits slow down guessing. After freeFailures failures in a window, each further failure
// doubles the time until the next attempt is allowed.
const (
	freeFailures = 5
	// freeAsked is how often a network may ask in a window for what everybody may ask for.
	freeAsked   = 1000
	window      = 15 * time.Minute
	firstWait   = 15 * time.Second
	longestWait = 15 * time.Minute
	// shortWait is the retryAfter for an attempt that comes while too many others with its key are
	// running.
	shortWait = time.Second
)

// NewFailures returns the failures of all servers of a database, or nil on SQLite.
func NewFailures(db *database.DB, log *slog.Logger) *shared.Failures {
	return shared.NewFailures(db, shared.Policy{Free: freeFailures, Window: window, First: firstWait, Longest: longestWait}, log)
}

// tracked is how many keys a process counts at most. They take about 10 MiB. The least recently
// used key is forgotten first. To make the throttle forget a key, an attacker needs this many
// sign-ins, each of which costs a hash.
const tracked = 1 << 16

// throttle counts failures by key. The servers of a database count together, in a table. While the
// table cannot be used, and on SQLite, each process has its own counts, and begins with none. The
// process also knows for how long a key has to wait, so that refusing it takes no statement.
type throttle struct {
	shared *shared.Failures // nil on SQLite
	free   int              // how many may fail before the next has to wait
	now    func() time.Time
	mu     sync.Mutex
	known  *simplelru.LRU[throttleKey, *failing]
}

// failing holds the failures of one key.
type failing struct {
	failures int
	running  int       // attempts in progress; each counts as a failure until it ends
	since    time.Time // the start of the window
	until    time.Time // no attempt is allowed before this time
}

// throttleKey identifies the subject of attempts, such as a login from a network.
type throttleKey [sha256.Size]byte

func newThrottle(failures *shared.Failures, now func() time.Time, free int) *throttle {
	known, err := simplelru.NewLRU[throttleKey, *failing](tracked, nil)
	if err != nil {
		panic(err) // only for a size that is not positive
	}
	return &throttle{shared: failures, now: now, free: free, known: known}
}

// about returns the key for the parts. All keys have the same size, however long a client's input
// is.
func about(parts ...string) throttleKey { return sha256.Sum256([]byte(strings.Join(parts, "\x00"))) }

// attempt is an attempt in progress. When it ends, failed, succeeded or undecided has to be called.
type attempt struct {
	t      *throttle
	ctx    context.Context
	key    throttleKey
	shared bool // the attempt was counted in the table
}

// begin begins an attempt. It returns RATE_LIMITED if the key has to wait, or if as many attempts
// are running as may still fail. If ctx holds a connection, this process alone counts the attempt:
// who holds one must not wait for another.
func (t *throttle) begin(ctx context.Context, key throttleKey) (attempt, error) {
	a := attempt{t, ctx, key, false}
	if t.shared == nil || unit.Holds(ctx) {
		return a, t.beginHere(key)
	}
	if wait := t.wait(key); wait > 0 {
		return attempt{}, limited(wait)
	}
	begun, state, err := t.shared.Begin(ctx, key[:])
	switch {
	case err != nil:
		return a, t.beginHere(key)
	case !begun:
		t.learn(key, state)
		return attempt{}, limited(cmp.Or(state.Wait, shortWait))
	}
	a.shared = true
	return a, nil
}

// wait returns how long a key has to wait, as far as this process knows.
func (t *throttle) wait(key throttleKey) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	if f, ok := t.known.Get(key); ok {
		return f.until.Sub(t.now())
	}
	return 0
}

// learn keeps what the table says of a key.
func (t *throttle) learn(key throttleKey, s shared.State) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.now()
	f, ok := t.known.Get(key)
	if !ok {
		f = new(failing)
		t.known.Add(key, f)
	}
	f.failures, f.since, f.until = s.Failures, now.Add(-s.Since), now.Add(s.Wait)
}

// beginHere begins an attempt that this process alone counts.
func (t *throttle) beginHere(key throttleKey) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.now()
	f, ok := t.known.Get(key)
	if !ok {
		f = new(failing)
		t.known.Add(key, f)
	}
	if f.failures > 0 && now.Sub(f.since) >= window && now.Sub(f.until) >= window {
		f.failures = 0
	}
	if wait := f.until.Sub(now); wait > 0 {
		return limited(wait)
	}
	if f.running >= max(1, t.free-f.failures) {
		return limited(shortWait)
	}
	f.running++
	return nil
}

func limited(wait time.Duration) *apperr.Error {
	seconds := int((wait + time.Second - 1) / time.Second)
	return &apperr.Error{
		Code:    apperr.CodeRateLimited,
		Message: "too many failures in a row, or tries at once; try again later",
		More:    map[string]any{"retryAfter": seconds},
	}
}

// failed ends the attempt and counts a failure.
func (a attempt) failed() {
	if a.shared {
		if state, err := a.t.shared.Fail(a.ctx, a.key[:]); err == nil {
			a.t.learn(a.key, state)
			return
		}
	}
	a.end(func(f *failing) {
		now := a.t.now()
		if f.failures == 0 {
			f.since = now
		}
		f.failures++
		if more := f.failures - a.t.free; more >= 0 {
			f.until = now.Add(min(firstWait<<min(more, 10), longestWait))
		}
	})
}

// succeeded ends the attempt and forgets the failures of its key.
func (a attempt) succeeded() {
	if a.shared {
		_ = a.t.shared.Succeed(a.ctx, a.key[:]) // the failures are forgotten later if it cannot be stored
	}
	a.end(func(f *failing) { f.failures, f.until = 0, time.Time{} })
}

// undecided ends an attempt that could not be completed.
func (a attempt) undecided() {
	if a.shared {
		_ = a.t.shared.Undo(a.ctx, a.key[:]) // it counts as running for a minute if it cannot be stored
	}
	a.end(func(*failing) {})
}

func (a attempt) end(what func(*failing)) {
	a.t.mu.Lock()
	defer a.t.mu.Unlock()
	f, ok := a.t.known.Get(a.key)
	if !ok { // the key was forgotten meanwhile
		f = &failing{running: 1}
		a.t.known.Add(a.key, f)
	}
	f.running = max(0, f.running-1)
	if what(f); f.failures == 0 && f.running == 0 {
		a.t.known.Remove(a.key)
	}
}
