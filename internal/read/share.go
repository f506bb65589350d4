package read

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"forge/internal/apperr"
)

// Requests that need the same work at the same time share it. While it is being done atOnce times, others wait, and when one of those is done, all that wait
// have it done once. It begins after all of them have asked, so each sees what was stored before it asked, as if it had worked by itself.
// A statement is shared by requests with arguments of their own (joint.go), a query of several by those with the same (herd.go).
//
// Nobody waits for company: where there is no crowd, every request works for itself. The larger the crowd, the less each of it costs, as with the
// group commit of databases (DeWitt et al., Implementation Techniques for Main Memory Database Systems, SIGMOD 1984).

// atOnce is how many times something is done before it is shared. Two keep the database busy while the server takes in what came.
const atOnce = 2

// crowd is the requests that do something, and those that wait to.
type crowd[T any] struct {
	mu      sync.Mutex
	running int
	waiting []*sharer[T]
}

// sharer is one of them.
type sharer[T any] struct {
	request  T
	most     int           // of them may share
	patience time.Duration // how long it waits to be called: a slow start of others is not to hold up this one
	// turn is sent to once the wait is over: those whom the request is to work for, itself the first, or nil if another one has done it.
	turn chan []*sharer[T]
	gone bool // its time is up. Others may still work for it, on what it has left to them
	err  error
}

// errAlone says that what was shared failed for a reason that need not be this request's, or not in time: it has to work for itself.
var errAlone = errors.New("read: what was shared failed")

// share has the work done, and reports whether by do: for a party, the first of which is me. If another request's do was to work for this one and has
// failed, or did not in time, it returns errAlone.
func (c *crowd[T]) share(ctx context.Context, me *sharer[T], do func(context.Context, []*sharer[T]) error) (done bool, err error) {
	party := []*sharer[T]{me}
	if c.wait(me) {
		if party, err = c.await(ctx, me); err != nil {
			return false, err
		}
	}
	if party == nil {
		return false, me.err
	}
	return true, c.lead(ctx, party, do)
}

// wait has the request wait, and reports true, if others are at work and there is room among those who wait.
func (c *crowd[T]) wait(me *sharer[T]) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.running < atOnce || len(c.waiting) >= me.most {
		c.running++
		return false
	}
	me.turn = make(chan []*sharer[T], 1)
	c.waiting = append(c.waiting, me)
	return true
}

// await returns when the wait is over, or the request has given up.
func (c *crowd[T]) await(ctx context.Context, me *sharer[T]) (party []*sharer[T], err error) {
	late := time.NewTimer(me.patience)
	defer late.Stop()
	select {
	case party = <-me.turn:
		return party, nil
	case <-ctx.Done():
		return c.depart(me, ctx.Err())
	case <-late.C:
		if c.leave(me) {
			return nil, errAlone
		}
	}
	select { // another one works for it by now
	case party = <-me.turn:
		return party, nil
	case <-ctx.Done():
		return c.depart(me, ctx.Err())
	}
}

// leave reports whether the request was still waiting, which it is no more.
func (c *crowd[T]) leave(me *sharer[T]) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := len(c.waiting)
	c.waiting = slices.DeleteFunc(c.waiting, func(m *sharer[T]) bool { return m == me })
	return len(c.waiting) < n
}

// depart ends the wait of a request whose time is up, unless it was over just now.
func (c *crowd[T]) depart(me *sharer[T], why error) (party []*sharer[T], err error) {
	c.leave(me)
	c.mu.Lock()
	defer c.mu.Unlock()
	select {
	case party = <-me.turn:
		return party, nil
	default:
		me.gone = true
		return nil, why
	}
}

// next is called when the work is done. The first of those who wait does it again, for all of them.
func (c *crowd[T]) next() {
	c.mu.Lock()
	defer c.mu.Unlock()
	party := c.waiting
	c.waiting = nil
	c.call(party)
}

// call has the first of a party do the work. The caller holds mu.
func (c *crowd[T]) call(party []*sharer[T]) {
	if len(party) == 0 {
		c.running--
		return
	}
	party[0].turn <- party
}

// handOn has another one of a party do the work, who has time left.
func (c *crowd[T]) handOn(party []*sharer[T]) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.call(slices.DeleteFunc(party, func(m *sharer[T]) bool { return m.gone }))
}

// lead does the work for a party, the first of which is the caller.
func (c *crowd[T]) lead(ctx context.Context, party []*sharer[T], do func(context.Context, []*sharer[T]) error) error {
	if err := ctx.Err(); err != nil && len(party) > 1 {
		c.handOn(party[1:])
		return err
	}
	defer c.next()
	err := errAlone // if it panics
	defer func() {
		for _, m := range party[1:] {
			if err != nil {
				m.err = toOthers(err)
			}
			m.turn <- nil
		}
	}()
	err = do(ctx, party)
	return cmp.Or(err, party[0].err)
}

// toOthers returns what a failure of whoever did the work is to those who shared it. That there is no connection to be had is true for all.
func toOthers(err error) error {
	if f, ok := errors.AsType[*apperr.Error](err); ok && f.Code == apperr.CodeUnavailable {
		return err
	}
	return errAlone
}
