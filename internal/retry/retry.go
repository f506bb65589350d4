// Package retry spaces attempts at something that may succeed later.
package retry

import (
	"context"
	"math/rand/v2"
	"time"
)

// Backoff is how long to wait between attempts: First after the first one, twice as long after each
// further one, and never longer than Max. Without Max every pause is First.
type Backoff struct {
	First, Max time.Duration
	// Jitter is the random part of each pause, from 0 to 1, so that two processes which are in each
	// other's way do not meet again: with 0.5 a pause takes between half of its length and all of it.
	Jitter float64
}

// Pause returns how long to wait after an attempt. The first attempt is number 1.
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

// Wait pauses after an attempt. It returns the error of ctx if that ends first.
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
