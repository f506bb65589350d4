// Package admission limits how many operations run at once.
//
// A server does not become faster by running more operations than its processors and its database
// can work on. Each one takes memory and slows down the others, until clients give up on answers
// that are then computed for nobody. So operations beyond a limit wait for a short time in a queue,
// and those that find the queue full are refused while that is still cheap.
//
// The limiter is asked twice for each operation. Full is asked by the load shedding in package
// httpserver, before anything is done for the request and before a byte of its body is read.
// Acquire is called by package graphqlhttp once the body has arrived, so that a slow sender holds
// no place.
package admission

import (
	"context"
	"errors"
	"sync/atomic"
	"time"
)

// The reasons why Acquire refuses an operation.
var (
	ErrFull    = errors.New("too many operations run and wait already")
	ErrTimeout = errors.New("no operation that runs came to its end in time")
)

// Limiter limits how many operations run and how many wait. A nil Limiter has no limit.
type Limiter struct {
	running chan struct{} // has one entry for each operation that runs
	waiting atomic.Int64
	queue   int64
	timeout time.Duration
}

// New returns a limiter that lets the given number of operations run at once. Up to queue further
// ones wait, in the order in which they came and no longer than timeout. New returns nil if running
// is 0.
func New(running, queue int, timeout time.Duration) *Limiter {
	if running == 0 {
		return nil
	}
	return &Limiter{running: make(chan struct{}, running), queue: int64(queue), timeout: timeout}
}

// Full reports whether Acquire would return ErrFull now. It costs two loads from memory.
func (l *Limiter) Full() bool {
	return l != nil && len(l.running) == cap(l.running) && l.waiting.Load() >= l.queue
}

// Acquire returns nil when the operation may run; the caller calls Release when the operation ends.
// It returns ErrFull at once if the queue is full, ErrTimeout if the operation has waited too long,
// or the error of ctx if ctx ends first.
func (l *Limiter) Acquire(ctx context.Context) error {
	if l == nil {
		return nil
	}
	select {
	case l.running <- struct{}{}:
		return nil
	default:
		return l.wait(ctx)
	}
}

// wait stands in the queue. A channel serves its senders in the order in which they came.
func (l *Limiter) wait(ctx context.Context) error {
	defer l.waiting.Add(-1)
	if l.waiting.Add(1) > l.queue {
		return ErrFull
	}
	timer := time.NewTimer(l.timeout)
	defer timer.Stop()
	select {
	case l.running <- struct{}{}:
		return nil
	case <-timer.C:
		return ErrTimeout
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Release makes room for the next operation.
func (l *Limiter) Release() {
	if l != nil {
		<-l.running
	}
}

// Counts returns how many operations run, and how many wait.
func (l *Limiter) Counts() (running, waiting int) {
	if l == nil {
		return 0, 0
	}
	return len(l.running), int(min(l.waiting.Load(), l.queue))
}
