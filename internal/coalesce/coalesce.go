// Package coalesce has requests that need the same work at the same time share it.
//
// While the work is being done Concurrency times, further requests wait. When one of the runs ends,
// the first of those that wait becomes the leader and does the work once for all of them. The run
// begins after each of them has asked, so each sees everything that was stored before it asked, as
// if it had worked by itself.
//
// A request never waits for company: without load, each does its own work. The more requests there
// are, the less each of them costs, as with the group commit of databases (DeWitt et al.,
// Implementation Techniques for Main Memory Database Systems, SIGMOD 1984).
package coalesce

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"time"
)

// Concurrency is how many runs of a group go on at once before requests wait. Two keep a database
// busy while the server takes in what the first has brought.
const Concurrency = 2

// ErrNotShared says that a request got nothing from a shared run: the run failed for a reason that
// need not be this request's, or the request waited for too long. It has to do the work by itself.
var ErrNotShared = errors.New("coalesce: the shared run failed")

// Group is the requests for one piece of work: those at work, and those that wait. T is what a
// request tells the leader. The zero Group is ready for use, and safe for concurrent use.
type Group[T any] struct {
	mu      sync.Mutex
	running int
	waiting []*Waiter[T]
}

// Options say how a request shares work.
type Options struct {
	// MaxBatch is how many requests a run is for at most. Requests beyond that do not wait.
	MaxBatch int
	// Patience is how long the request waits for a run to begin. A slow run of others should not
	// hold it up.
	Patience time.Duration
	// Common reports whether an error of the leader is that of its whole batch, such as that no
	// connection was free. Nil means that none is.
	Common func(error) bool
}

// Waiter is a request in a batch.
type Waiter[T any] struct {
	Request T
	// Err is what the leader has found wrong with this request alone.
	Err error

	// ready receives the batch that the waiter has to lead, or nil once its work is done.
	ready     chan []*Waiter[T]
	cancelled bool // its context ended; the leader may still work on its Request
	shared    error
}

// Do has the work for a request done. It calls run itself, with a batch whose first waiter is the
// request, or waits until another request has done so for it.
//
// It reports whether it led, that is, whether it called run; the error is run's then, or the
// waiter's own. Otherwise the error is nil if the leader succeeded, the request's own error, the
// context's, or ErrNotShared.
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

// Waiting returns how many requests wait for a run to begin.
func (g *Group[T]) Waiting() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.waiting)
}

// enqueue has the request wait and returns true, if others are at work and there is room.
// Otherwise it counts the request as running.
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

// await returns the batch to lead, or nil if the work is done. The error is the context's, or
// ErrNotShared if no run has begun within the request's patience.
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
	select { // a leader is at work on it by now
	case batch := <-w.ready:
		return batch, nil
	case <-ctx.Done():
		return g.cancel(w, ctx.Err())
	}
}

// dequeue takes the request out of those that wait. It returns false if it is not among them.
func (g *Group[T]) dequeue(w *Waiter[T]) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	n := len(g.waiting)
	g.waiting = slices.DeleteFunc(g.waiting, func(other *Waiter[T]) bool { return other == w })
	return len(g.waiting) < n
}

// cancel ends the wait of a request whose context has ended with err. If the wait was over already,
// it returns the batch instead.
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

// lead does the work for a batch whose first waiter is the caller.
func (g *Group[T]) lead(ctx context.Context, batch []*Waiter[T], common func(error) bool, run func(context.Context, []*Waiter[T]) error) error {
	if err := ctx.Err(); err != nil && len(batch) > 1 {
		g.promote(batch[1:])
		return err
	}
	defer g.finish()
	err := ErrNotShared // if run panics
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

// finish is called when a run ends. The first of those that wait leads the next run, for all of
// them.
func (g *Group[T]) finish() {
	g.mu.Lock()
	defer g.mu.Unlock()
	batch := g.waiting
	g.waiting = nil
	g.start(batch)
}

// promote makes another waiter of a batch its leader: the first whose context has not ended.
func (g *Group[T]) promote(batch []*Waiter[T]) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.start(slices.DeleteFunc(batch, func(w *Waiter[T]) bool { return w.cancelled }))
}

// start wakes the leader of a batch once a run has ended. The caller holds mu.
func (g *Group[T]) start(batch []*Waiter[T]) {
	if len(batch) == 0 {
		g.running--
		return
	}
	batch[0].ready <- batch
}

// Groups is a Group for each key that has requests at the moment. The zero value is ready for use,
// and safe for concurrent use.
type Groups[K comparable, T any] struct {
	mu    sync.Mutex
	byKey map[K]*counted[T]
}

type counted[T any] struct {
	group    Group[T]
	requests int
}

// Do is like Group.Do, in the group of the key.
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
