package health

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"forge/internal/migrator"
)

// fresh is how long the result of a check is used.
const fresh = time.Second

// readsTime is the time in which the database must answer a probe while replicas can answer
// queries. Balancers that wait for a second get the answer, also when the primary is silent.
const readsTime = 500 * time.Millisecond

// finding is the result of a check of the database.
type finding struct {
	err      error // why the server cannot answer requests; nil if it can
	readOnly bool
}

// shared lets all probes that come at about the same time share one check of the database.
type shared struct {
	look  func(context.Context) finding
	reads func() bool // reports whether queries are answered without the database
	log   *slog.Logger
	now   func() time.Time

	mu     sync.Mutex
	fits   bool    // the database had the schema of this build when it answered last
	last   *flight // nil before the first check
	logged string  // the problem that was logged last; "" if none
}

// flight is one check, running or done. Its result may be read after done is closed.
type flight struct {
	done  chan struct{}
	ended time.Time // zero while the check runs; guarded by shared.mu
	found finding
}

func newShared(look func(context.Context) finding, reads func() bool, log *slog.Logger) *shared {
	return &shared{look: look, reads: reads, log: log, now: time.Now}
}

// get returns the result of the last check if it is fresh. Otherwise it waits for the running
// check, or starts one. If ctx ends first, the result has an error.
func (s *shared) get(ctx context.Context) finding {
	f := s.flight()
	select {
	case <-f.done:
		return f.found
	case <-ctx.Done():
		return finding{err: ctx.Err()}
	}
}

func (s *shared) flight() *flight {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f := s.last; f != nil && (f.ended.IsZero() || s.now().Sub(f.ended) < fresh) {
		return f
	}
	f := &flight{done: make(chan struct{})}
	s.last = f
	go s.fly(f)
	return f
}

// fly runs the check. Other requests may wait for the result, so the check does not end with the
// request that started it. If a connection has fallen silent, the check may not return at its
// deadline. Then the result is that the database does not answer, and the next check uses another
// connection.
func (s *shared) fly(f *flight) {
	ctx, cancel := context.WithTimeout(context.Background(), s.patience())
	defer cancel()
	found := make(chan finding, 1)
	go func() { found <- s.look(ctx) }()
	select {
	case f.found = <-found:
	case <-ctx.Done():
		f.found = finding{err: ctx.Err()}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	f.ended = s.now()
	if refused := refuses(f.found.err); f.found.err == nil || refused {
		s.fits = !refused
	} else if s.fits && s.reads() {
		f.found = finding{readOnly: true}
	}
	s.record(f.found)
	close(f.done)
}

// patience returns how long a check may take.
func (s *shared) patience() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fits && s.reads() {
		return readsTime
	}
	return probeTimeout
}

// record logs a result if it differs from the one before. The caller holds mu.
func (s *shared) record(found finding) {
	state, level, message := "", slog.LevelInfo, "ready again"
	var details []any
	switch {
	case found.err != nil:
		state = Reason(found.err)
		level, message, details = slog.LevelWarn, "not ready", []any{"reason", state, "error", found.err}
		if _, ok := errors.AsType[*migrator.Refusal](found.err); ok {
			state = found.err.Error() // the reason leaves out details, which may change
		}
	case found.readOnly:
		state = errReadOnly.Error()
		level, message, details = slog.LevelWarn, "ready for reads alone", []any{"reason", state}
	}
	if state != s.logged {
		s.log.Log(context.Background(), level, message, details...)
	}
	s.logged = state
}
