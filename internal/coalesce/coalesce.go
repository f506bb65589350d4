// Package coalesce lets requests that need the same work at the same time share it.
//
// Up to Concurrency runs of the work go on at once. While they do, further requests wait. When a
// run ends, the first waiting request becomes the leader and does the work once for all that wait.
// This run begins after each of them has asked. So each request sees everything that was stored
// before it asked, as if it had done the work by itself.
//
// A request waits only while Concurrency runs are going on. Without load, each request does its own
// work. The more requests there are, the less each of them costs, as with the group commit of
// databases (DeWitt et al., Implementation Techniques for Main Memory Database Systems, SIGMOD
// 1984).
package coalesce

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"time"
)

// Concurrency is how many runs of a group go on at once before requests wait. With two, the
// database is busy with one run while the server processes the results of the other.
const Concurrency = 2

// ErrNotShared is the error of a request that got no result from a shared run. Either the run
// failed for a reason that may not apply to this request, or the request waited too long. The
// request has to do the work by itself.
var ErrNotShared = errors.New("coalesce: the shared run failed")

// Group holds the requests for one piece of work: those that do it, and those that wait. T is what
// a request tells the leader. The zero Group is ready for use. A Group is safe for concurrent use.
type Group[T any] struct {
	mu      sync.Mutex
	running int
	waiting []*Waiter[T]
}

// Options say how a request shares work.
type Options struct {
	// MaxBatch is how many requests may wait for the same run. A further request does the work by
	// itself.
	MaxBatch int
	// Patience is how long the request waits for a run to begin, so that a slow run of other
	// requests does not hold it up.
	Patience time.Duration
	// Common reports whether an error of the leader is the error of every request in its batch, for
	// example that no database connection was free. If Common is nil, no error is.
	Common func(error) bool
}

// Waiter is a request in a batch.
type Waiter[T any] struct {
	Request T
	// Err is an error that concerns this request alone. The leader sets it.
	Err error

	// ready receives the batch that this waiter has to lead, or nil after another leader has done
	// its work.
	ready     chan []*Waiter[T]
	cancelled bool  // the request's context has ended; the leader may still use Request
	shared    error // the error of the batch, for all but its leader
}

// Do does the work for a request, or waits until another request has done it. To do the work, Do
// calls run with a batch of requests. The first in the batch is this request.
//
// If Do called run, led is true, and the error is that of run or this request's Err. If another
// request called run, led is false, and the error is nil, this request's Err, an error for which
// Common holds, or ErrNotShared. If ctx ended, the error is that of ctx.
func (g *Group[T]) Do(ctx context.Context, request T, o Options, run func(context.Context, []*Waiter[T]) error) (led bool, err error) {
	w := &Waiter[T]{Request: request}
	batch := []*Waiter[T]{w}
	if g.enqueue(w, o.MaxBatch) {
		if batch, err = g.await(ctx, w, o.Patience); err != nil {
			return false, err
		}
	}
	if batch == nil {
		return false, cmp.Or(w.shared, w.Err)
	}
	return true, g.lead(ctx, batch, o.Common, run)
}

// Waiting returns the number of requests that wait for a run to begin.
func (g *Group[T]) Waiting() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.waiting)
}

// enqueue makes the request wait and returns true if Concurrency runs are going on and fewer than
// maxBatch requests wait. Otherwise it counts the request as a new run and returns false.
func (g *Group[T]) enqueue(w *Waiter[T], maxBatch int) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.running < Concurrency || len(g.waiting) >= maxBatch {
		g.running++
		return false
	}
	w.ready = make(chan []*Waiter[T], 1)
	g.waiting = append(g.waiting, w)
	return true
}

// await waits for the request's turn. It returns the batch that the request has to lead, or nil if
// another request has done the work. The error is that of ctx, or ErrNotShared if no run began
// within the request's patience.
func (g *Group[T]) await(ctx context.Context, w *Waiter[T], patience time.Duration) ([]*Waiter[T], error) {
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case batch := <-w.ready:
		return batch, nil
	case <-ctx.Done():
		return g.cancel(w, ctx.Err())
	case <-timer.C:
		if g.dequeue(w) {
			return nil, ErrNotShared
		}
	}
	select { // a leader has this request in its batch by now
	case batch := <-w.ready:
		return batch, nil
	case <-ctx.Done():
		return g.cancel(w, ctx.Err())
	}
}

// dequeue removes the request from those that wait. It returns false if the request was not among
// them.
func (g *Group[T]) dequeue(w *Waiter[T]) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	n := len(g.waiting)
	g.waiting = slices.DeleteFunc(g.waiting, func(other *Waiter[T]) bool { return other == w })
	return len(g.waiting) < n
}

// cancel ends the wait of a request whose context has ended with err, and returns err. If the wait
// had already ended, cancel returns the request's batch instead.
func (g *Group[T]) cancel(w *Waiter[T], err error) ([]*Waiter[T], error) {
	g.dequeue(w)
	g.mu.Lock()
	defer g.mu.Unlock()
	select {
	case batch := <-w.ready:
		return batch, nil
	default:
		w.cancelled = true
		return nil, err
	}
}

// lead runs the work for a batch whose first request is the caller's, and wakes the other requests
// of the batch. If ctx has ended before that, it makes another request the leader and returns the
// error of ctx.
func (g *Group[T]) lead(ctx context.Context, batch []*Waiter[T], common func(error) bool, run func(context.Context, []*Waiter[T]) error) error {
	if err := ctx.Err(); err != nil && len(batch) > 1 {
		g.promote(batch[1:])
		return err
	}
	defer g.finish()
	err := ErrNotShared // remains if run panics
	defer func() {
		shared := err
		if err != nil && (common == nil || !common(err)) {
			shared = ErrNotShared
		}
		for _, w := range batch[1:] {
			w.shared = shared
			w.ready <- nil
		}
	}()
	err = run(ctx, batch)
	return cmp.Or(err, batch[0].Err)
}

// finish ends a run. All requests that wait become the next batch, and the first of them its
// leader.
func (g *Group[T]) finish() {
	g.mu.Lock()
	defer g.mu.Unlock()
	batch := g.waiting
	g.waiting = nil
	g.start(batch)
}

// promote makes the first request of a batch whose context has not ended the leader of the batch.
func (g *Group[T]) promote(batch []*Waiter[T]) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.start(slices.DeleteFunc(batch, func(w *Waiter[T]) bool { return w.cancelled }))
}

// start begins the run of a batch in the place of a run that has ended: it wakes the leader of the
// batch. If the batch is empty, no run begins, and running is lowered. The caller holds mu.
func (g *Group[T]) start(batch []*Waiter[T]) {
	if len(batch) == 0 {
		g.running--
		return
	}
	batch[0].ready <- batch
}

// Groups holds a Group for each key that has requests at the moment. The zero value is ready for
// use. Groups is safe for concurrent use.
type Groups[K comparable, T any] struct {
	mu    sync.Mutex
	byKey map[K]*counted[T]
}

type counted[T any] struct {
	group    Group[T]
	requests int
}

// Do is like Group.Do, for the group of the key.
func (g *Groups[K, T]) Do(ctx context.Context, key K, request T, o Options, run func(context.Context, []*Waiter[T]) error) (led bool, err error) {
	c := g.enter(key)
	defer g.leave(key, c)
	return c.group.Do(ctx, request, o, run)
}

func (g *Groups[K, T]) enter(key K) *counted[T] {
	g.mu.Lock()
	defer g.mu.Unlock()
	c := g.byKey[key]
	if c == nil {
		if g.byKey == nil {
			g.byKey = map[K]*counted[T]{}
		}
		c = new(counted[T])
		g.byKey[key] = c
	}
	c.requests++
	return c
}

func (g *Groups[K, T]) leave(key K, c *counted[T]) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if c.requests--; c.requests == 0 {
		delete(g.byKey, key)
	}
}
