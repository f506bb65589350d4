package session

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"forge/internal/database"
	"forge/internal/shared"
)

// Limiter slows down what is tried again and again, as failures to sign in are slowed down. All
// servers of a PostgreSQL database count together.
type Limiter struct{ throttle *throttle }

// NewLimiter returns a Limiter that lets a key be used free times within 15 minutes before it has
// to wait.
func NewLimiter(db *database.DB, free int, log *slog.Logger) *Limiter {
	policy := shared.Policy{Free: free, Window: window, First: firstWait, Longest: longestWait}
	return &Limiter{newThrottle(shared.NewFailures(db, policy, log), time.Now, free)}
}

// Count counts one use of the key that the parts are. It returns RATE_LIMITED if there were too
// many.
func (l *Limiter) Count(ctx context.Context, parts ...string) error {
	a, err := l.throttle.begin(ctx, about(parts...))
	if err != nil {
		return recorded(ctx, err)
	}
	a.failed()
	return nil
}

// ErrWrong is the error of Guard if what was tried was wrong.
var ErrWrong = errWrong

// Guard calls try, which reports whether a secret is right. It returns ErrWrong if the secret is
// wrong. After too many wrong ones for the key that the parts are, it returns RATE_LIMITED and does
// not call try.
func (l *Limiter) Guard(ctx context.Context, try func() (bool, error), parts ...string) error {
	err := guarded(ctx, l.throttle, about(parts...), try)
	if errors.Is(err, errWrong) {
		return err
	}
	return recorded(ctx, err)
}
