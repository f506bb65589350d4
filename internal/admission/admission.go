// Package admission limits how many operations run at once.
//
// A server does not become faster by running more operations than its processors and its database
// can work on. Each further operation takes memory and slows down the others, until clients give up
// and answers are computed for nobody. So operations beyond a limit wait in a queue for a short
// time. If the queue is full, operations are refused while that is still cheap.
//
// The limiter is asked twice for each operation. Package httpserver calls Full before it does
// anything for the request or reads a byte of its body. Package graphqlhttp calls Acquire after the
// body has arrived, so that a slow sender holds no place.
package admission

import (
	"context"
	"errors"
	"sync/atomic"
	"time"
)

// These are the reasons for which Acquire refuses an operation.
var (
	ErrFull    = errors.New("too many operations run and wait already")
	ErrTimeout = errors.New("no operation that runs came to its end in time")
)

// Limiter limits how many operations run and how many wait. A nil Limiter has no limit.
type Limiter struct {
	running chan struct{} // holds one element for each operation that runs
	waiting atomic.Int64
	queue   int64
	timeout time.Duration
}

// New returns a limiter that lets the given number of operations run at once. Up to queue further
// operations wait, in the order in which they came, and for no longer than timeout. If running is
// 0, New returns nil.
func New(running, queue int, timeout time.Duration) *Limiter {
	if running == 0 {
		return nil
	}
	return &Limiter{running: make(chan struct{}, running), queue: int64(queue), timeout: timeout}
}

// Full reports whether Acquire would return ErrFull now. It only loads two values from memory.
func (l *Limiter) Full() bool {
	return l != nil && len(l.running) == cap(l.running) && l.waiting.Load() >= l.queue
}

// Acquire returns nil when the operation may run. The caller then calls Release when the operation
// ends. Acquire returns ErrFull at once if the queue is full, ErrTimeout if the operation has
// waited too long, or the error of ctx if ctx ends first.
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

// wait waits in the queue. A channel serves its senders in the order in which they came.
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

// Release ends an operation, and makes room for the next one.
func (l *Limiter) Release() {
	if l != nil {
		<-l.running
	}
}

// pausesPerPlace bounds how many operations pause. When they come back, they stand in the queue as
// well, and others stand behind them.
const pausesPerPlace = 4

// Pause calls wait for an operation that runs. Others run in its place meanwhile, as if it was in
// the queue. Pause returns what wait returns when the operation has a place again. If half of the
// queue waits already, or pausesPerPlace operations for each place, it returns ErrFull at once
// instead: the rest of the queue is for operations that can run. Without a queue, the operation
// keeps its place.
func (l *Limiter) Pause(wait func() error) error {
	if l == nil || l.queue == 0 {
		return wait()
	}
	defer l.waiting.Add(-1)
	if l.waiting.Add(1) > max(1, min(l.queue/2, int64(pausesPerPlace*cap(l.running)))) {
		return ErrFull
	}
	<-l.running
	defer func() { l.running <- struct{}{} }()
	return wait()
}

// Counts returns how many operations run, and how many wait.
func (l *Limiter) Counts() (running, waiting int) {
	if l == nil {
		return 0, 0
	}
	return len(l.running), int(min(l.waiting.Load(), l.queue))
}
