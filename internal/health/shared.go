package health

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"forge/internal/migrator"
)

// fresh is how long the result of a check holds.
const fresh = time.Second

// finding is the result of a check of the database.
type finding struct {
	err      error // why nothing can be answered; nil if it can
	readOnly bool
}

// shared has all probes share one check of the database.
type shared struct {
	look func(context.Context) finding
	log  *slog.Logger
	now  func() time.Time

	mu     sync.Mutex
	last   *flight // nil before the first
	logged string  // the last state in the log; "" if all is well
}

// flight is one check, running or done. Its result may be read once done is closed.
type flight struct {
	done  chan struct{}
	ended time.Time // zero while it is under way; guarded by shared.mu
	found finding
}

func newShared(look func(context.Context) finding, log *slog.Logger) *shared {
	return &shared{look: look, log: log, now: time.Now}
}

// get returns the result of the last check if that is fresh, and otherwise waits for the running
// check or a new one. It returns an error when ctx ends before that.
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

// fly runs the check. It does not end with the request that began it, since others wait for it as
// well. A connection that has fallen silent may hold up the check past its deadline. Then the
// result is that the database does not answer, and the next check takes another connection.
func (s *shared) fly(f *flight) {
	ctx, cancel := context.WithTimeout(context.Background(), probeTimeout)
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
	s.record(f.found)
	close(f.done)
}

// record logs the result if it differs from the last one. The caller holds mu.
func (s *shared) record(found finding) {
	state, level, message := "", slog.LevelInfo, "ready again"
	var details []any
	switch {
	case found.err != nil:
		state = reason(found.err)
		level, message, details = slog.LevelWarn, "not ready", []any{"reason", state, "error", found.err}
		if _, ok := errors.AsType[*migrator.Refusal](found.err); ok {
			state = found.err.Error() // the reason leaves out details
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
