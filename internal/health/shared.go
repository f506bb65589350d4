package health

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"forge/internal/migrator"
)

// fresh is for how long the finding of a look holds.
const fresh = time.Second

// finding is what a look at the database found out.
type finding struct {
	err      error // why nothing can be answered; nil if it can
	readOnly bool
}

// shared lets all who ask share a look at the database.
type shared struct {
	look func(context.Context) finding
	log  *slog.Logger
	now  func() time.Time

	mu   sync.Mutex
	last *flight // nil before the first
	said string  // what the log said last, "" while all is well
}

// flight is a look that is under way, or was. What it found may be read once done is closed.
type flight struct {
	done  chan struct{}
	ended time.Time // zero while it is under way; guarded by shared.mu
	found finding
}

func newShared(look func(context.Context) finding, log *slog.Logger) *shared {
	return &shared{look: look, log: log, now: time.Now}
}

// get returns what the last look found if that is fresh, or else what the one finds that is under way, or that it begins. It
// takes as long as a look may take, or until ctx ends.
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

// fly looks. Its time is its own: no request that waits for it can end it. A connection that is silent may hold the look up for
// longer than it has; then the answer is that the database does not answer, and the next look takes another connection.
func (s *shared) fly(f *flight) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
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

// record logs a state that is another one than that of the look before. The caller holds mu.
func (s *shared) record(found finding) {
	state, level, message := "", slog.LevelInfo, "ready again"
	var details []any
	switch {
	case found.err != nil:
		state = reason(found.err)
		level, message, details = slog.LevelWarn, "not ready", []any{"reason", state, "error", found.err}
		if _, ok := errors.AsType[*migrator.Refusal](found.err); ok {
			state = found.err.Error() // of which the reason does not say all
		}
	case found.readOnly:
		state = errReadOnly.Error()
		level, message, details = slog.LevelWarn, "ready for reads alone", []any{"reason", state}
	}
	if state != s.said {
		s.log.Log(context.Background(), level, message, details...)
	}
	s.said = state
}
