// Package admission decides how many operations run at once.
//
// More than the processors and the database can work on at a time do not make a server faster: they take memory, and each of them takes
// longer, until clients give up on answers that are then computed in vain. So those beyond a number wait for a short time, and those that
// there is no place to wait for are turned away while that is still cheap.
package admission

import (
	"context"
	"errors"
	"sync/atomic"
	"time"
)

// Why an operation is not let in.
var (
	ErrFull = errors.New("too many operations run and wait already")
	ErrLate = errors.New("no operation that runs came to its end in time")
)

// Gate lets operations in. A nil one lets in all.
type Gate struct {
	running  chan struct{} // has an entry for each that runs
	waiting  atomic.Int64
	queue    int64
	patience time.Duration
}

// New returns a gate that lets so many operations run at once, with as many as queue that wait for it, in the order in which they came and
// for as long as patience. It returns nil if running is 0.
func New(running, queue int, patience time.Duration) *Gate {
	if running == 0 {
		return nil
	}
	return &Gate{running: make(chan struct{}, running), queue: int64(queue), patience: patience}
}

// Full reports whether Enter would answer ErrFull now. It costs next to nothing, so it is asked before a request is read.
func (g *Gate) Full() bool {
	return g != nil && len(g.running) == cap(g.running) && g.waiting.Load() >= g.queue
}

// Enter returns when the operation may run; call Leave at its end. It returns ErrFull at once, ErrLate when it has waited in vain, or the
// error of ctx when that ends first.
func (g *Gate) Enter(ctx context.Context) error {
	if g == nil {
		return nil
	}
	select {
	case g.running <- struct{}{}:
		return nil
	default:
		return g.wait(ctx)
	}
}

// wait stands in the queue: a channel serves those who wait in their order.
func (g *Gate) wait(ctx context.Context) error {
	defer g.waiting.Add(-1)
	if g.waiting.Add(1) > g.queue {
		return ErrFull
	}
	late := time.NewTimer(g.patience)
	defer late.Stop()
	select {
	case g.running <- struct{}{}:
		return nil
	case <-late.C:
		return ErrLate
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Leave makes room for the next operation.
func (g *Gate) Leave() {
	if g != nil {
		<-g.running
	}
}

// Counts returns how many operations run, and how many wait.
func (g *Gate) Counts() (running, waiting int) {
	if g == nil {
		return 0, 0
	}
	return len(g.running), int(min(g.waiting.Load(), g.queue))
}
