// Package retry decides how long to wait before something that failed is tried again.
package retry

import (
	"context"
	"math/rand/v2"
	"time"
)

// Backoff defines the pauses between attempts. The pause after the first attempt is First. Each
// further pause is twice as long as the one before, but not longer than Max. If Max is 0, all
// pauses are First.
type Backoff struct {
	First, Max time.Duration
	// Jitter is the part of each pause that is random, from 0 to 1. With 0.5, a pause is at least
	// half as long as without jitter. So two processes that failed because of each other do not try
	// again at the same moment.
	Jitter float64
}

// Pause returns how long to wait after an attempt. The first attempt has the number 1.
func (b Backoff) Pause(attempt int) time.Duration {
	pause := b.First
	for range attempt - 1 {
		if pause >= b.Max {
			break
		}
		pause *= 2
	}
	if b.Max > 0 {
		pause = min(pause, b.Max)
	}
	return pause - time.Duration(b.Jitter*rand.Float64()*float64(pause))
}

// Wait waits after an attempt. If ctx ends first, Wait returns its error at once.
func (b Backoff) Wait(ctx context.Context, attempt int) error {
	timer := time.NewTimer(b.Pause(attempt))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
