package session

import (
	"crypto/sha256"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"

	"forge/internal/apperr"
)

// These limits slow down guessing. After freeFailures failures in a window, each further failure
// doubles the time until the next attempt is allowed.
const (
	freeFailures = 5
	window       = 15 * time.Minute
	firstWait    = 15 * time.Second
	longestWait  = 15 * time.Minute
	// shortWait is the retryAfter for an attempt that comes while too many others with its key are
	// running.
	shortWait = time.Second
)

// tracked is how many keys are counted at most. They take about 10 MiB. The least recently used key
// is forgotten first. To make the throttle forget a key, an attacker needs this many sign-ins, each
// of which costs a hash.
const tracked = 1 << 16

// throttle counts failures by key. Each process has its own counts, and begins with none.
type throttle struct {
	now   func() time.Time
	mu    sync.Mutex
	known *simplelru.LRU[throttleKey, *failing]
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

func newThrottle(now func() time.Time) *throttle {
	known, err := simplelru.NewLRU[throttleKey, *failing](tracked, nil)
	if err != nil {
		panic(err) // only for a size that is not positive
	}
	return &throttle{now: now, known: known}
}

// about returns the key for the parts. All keys have the same size, however long a client's input
// is.
func about(parts ...string) throttleKey { return sha256.Sum256([]byte(strings.Join(parts, "\x00"))) }

// attempt is an attempt in progress. When it ends, failed, succeeded or undecided has to be called.
type attempt struct {
	t   *throttle
	key throttleKey
}

// begin begins an attempt. It returns RATE_LIMITED if the key has to wait, or if as many attempts
// are running as may still fail.
func (t *throttle) begin(key throttleKey) (attempt, error) {
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
		return attempt{}, limited(wait)
	}
	if f.running >= max(1, freeFailures-f.failures) {
		return attempt{}, limited(shortWait)
	}
	f.running++
	return attempt{t, key}, nil
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
	a.end(func(f *failing) {
		now := a.t.now()
		if f.failures == 0 {
			f.since = now
		}
		f.failures++
		if more := f.failures - freeFailures; more >= 0 {
			f.until = now.Add(min(firstWait<<min(more, 10), longestWait))
		}
	})
}

// succeeded ends the attempt and forgets the failures of its key.
func (a attempt) succeeded() {
	a.end(func(f *failing) { f.failures, f.until = 0, time.Time{} })
}

// undecided ends an attempt that could not be completed.
func (a attempt) undecided() { a.end(func(*failing) {}) }

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
