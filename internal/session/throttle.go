package session

import (
	"crypto/sha256"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"

	"forge/internal/apperr"
)

// Who guesses passwords is slowed down: after so many failures in a window each further one makes them wait, twice as long each time.
const (
	freeFailures = 5
	window       = 15 * time.Minute
	firstWait    = 15 * time.Second
	longestWait  = 15 * time.Minute
	// soon is what those are told who come while others of the same kind are being answered.
	soon = time.Second
)

// tracked is how many are kept an eye on, some 10 MiB of them. Those that failed the longest ago are forgotten first, and to make the others be
// forgotten takes as many sign-ins, with a hash each.
const tracked = 1 << 16

// throttle counts failures by what they are about. It is of this process alone, and starts anew with it.
type throttle struct {
	now   func() time.Time
	mu    sync.Mutex
	known *simplelru.LRU[throttleKey, *failing]
}

// failing is what there is to know of those that failed.
type failing struct {
	failures int
	running  int       // that are being answered: each counts as a failure until it is known to be none
	since    time.Time // when the window began
	until    time.Time // nothing is tried before
}

// throttleKey stands for what failures are about.
type throttleKey [sha256.Size]byte

func newThrottle(now func() time.Time) *throttle {
	known, err := simplelru.NewLRU[throttleKey, *failing](tracked, nil)
	if err != nil {
		panic(err) // only for a size that is none
	}
	return &throttle{now: now, known: known}
}

// about returns the key of what the parts say together. Its size does not depend on what a client sent.
func about(parts ...string) throttleKey { return sha256.Sum256([]byte(strings.Join(parts, "\x00"))) }

// attempt is one that was let in. One of its methods has to be called.
type attempt struct {
	t   *throttle
	key throttleKey
}

// enter lets an attempt in, or refuses it with RATE_LIMITED, whatever would have come of it. Of many at once it lets in no more than
// may fail.
func (t *throttle) enter(key throttleKey) (attempt, error) {
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
		return attempt{}, limited(soon)
	}
	f.running++
	return attempt{t, key}, nil
}

func limited(wait time.Duration) *apperr.Error {
	seconds := int((wait + time.Second - 1) / time.Second)
	return &apperr.Error{Code: apperr.CodeRateLimited, Message: "too many failures in a row, or tries at once; try again later", More: map[string]any{"retryAfter": seconds}}
}

// failed counts a failure.
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

// succeeded forgets the failures.
func (a attempt) succeeded() {
	a.end(func(f *failing) { f.failures, f.until = 0, time.Time{} })
}

// undecided is for an attempt of which nobody knows whether it would have failed.
func (a attempt) undecided() { a.end(func(*failing) {}) }

func (a attempt) end(what func(*failing)) {
	a.t.mu.Lock()
	defer a.t.mu.Unlock()
	f, ok := a.t.known.Get(a.key)
	if !ok { // it was forgotten meanwhile
		f = &failing{running: 1}
		a.t.known.Add(a.key, f)
	}
	f.running = max(0, f.running-1)
	if what(f); f.failures == 0 && f.running == 0 {
		a.t.known.Remove(a.key)
	}
}
