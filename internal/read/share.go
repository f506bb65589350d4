package read

import (
	"cmp"
	"context"
	"database/sql/driver"
	"errors"
	"slices"
	"sync"
	"time"

	"forge/internal/fault"
	"forge/internal/unit"
)

// Requests that need the same statement at the same time, each with arguments of its own, share it. While it runs atOnce times, others wait,
// and when one of those runs ends, all that wait run it once, for the arguments of each (joint.go). It begins after all of them have asked,
// so each sees what was stored before it asked, as if it had run the statement by itself.
//
// Nobody waits for company: where there is no crowd, every request runs its own. The larger the crowd, the less each of it costs, as with the
// group commit of databases (DeWitt et al., Implementation Techniques for Main Memory Database Systems, SIGMOD 1984).

// atOnce is how many times a statement runs before it is shared. Two keep the database busy while the server takes in what came.
const atOnce = 2

// patience is how long a request waits for its turn. What holds up others, such as a dead connection, is not to hold up this one.
var patience = 50 * time.Millisecond

// crowd is the requests that run a statement, and those that wait to.
type crowd struct {
	mu      sync.Mutex
	running int
	waiting []*sharer
	joint   *joint // nil until it was needed
}

// sharer is a request that waits.
type sharer struct {
	*fetch
	row func([]driver.Value) error
	// turn is sent to once the wait is over: those whom the request is to run the statement for, itself the first, or nil if another one has run it.
	turn chan []*sharer
	err  error
}

// errAlone says that a shared statement failed for a reason that need not be this request's: it has to run its own.
var errAlone = errors.New("read: a shared statement failed")

// mayShare reports whether the request may share a statement: there is no transaction that it would have to be a part of.
func (f *fetch) mayShare(s *statement) bool {
	return s.crowd != nil && !f.alone && f.unit.Mode() == unit.Single
}

// share runs a statement, together with others if there are, and hands its rows to row. If it returns errAlone, some of them may have been.
func (c *crowd) share(ctx context.Context, s *statement, f *fetch, row func([]driver.Value) error) error {
	me := &sharer{fetch: f, row: row}
	if !c.wait(me) {
		defer c.next()
		return me.run(ctx, s)
	}
	start := time.Now()
	party, err := c.await(ctx, me)
	switch {
	case err != nil:
		return err
	case party != nil:
		return c.lead(ctx, s, party)
	case me.err == errAlone:
		return errAlone
	default:
		return f.unit.Shared(ctx, s.Text, start, me.err)
	}
}

// run runs the statement for one.
func (m *sharer) run(ctx context.Context, s *statement) error {
	return m.unit.Read(ctx, m.row, s.Text, s.arguments(m.argument))
}

// wait has the request wait, and reports true, if others run the statement and there is room among those who wait.
func (c *crowd) wait(me *sharer) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.running < atOnce || len(c.waiting) >= me.together() {
		c.running++
		return false
	}
	me.turn = make(chan []*sharer, 1)
	c.waiting = append(c.waiting, me)
	return true
}

// await returns when it is the request's turn, or it has stopped waiting.
func (c *crowd) await(ctx context.Context, me *sharer) (party []*sharer, err error) {
	late := time.NewTimer(patience)
	defer late.Stop()
	select {
	case party = <-me.turn:
		return party, nil
	case <-ctx.Done():
		err = ctx.Err()
	case <-late.C:
		err = errAlone
	}
	if c.leave(me) {
		return nil, err
	}
	return <-me.turn, nil // it was just called. Who runs the statement came before, and so has no more time than this request
}

// leave reports whether the request was still waiting.
func (c *crowd) leave(me *sharer) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := len(c.waiting)
	c.waiting = slices.DeleteFunc(c.waiting, func(m *sharer) bool { return m == me })
	return len(c.waiting) < n
}

// next is called when the statement has run. The first of those who wait runs it again, for all of them.
func (c *crowd) next() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.waiting) == 0 {
		c.running--
		return
	}
	c.waiting[0].turn <- c.waiting
	c.waiting = nil
}

// lead runs the statement for a party, the first of which is the caller.
func (c *crowd) lead(ctx context.Context, s *statement, party []*sharer) error {
	if err := ctx.Err(); err != nil && len(party) > 1 {
		party[1].turn <- party[1:] // who have time left
		return err
	}
	defer c.next()
	if len(party) == 1 {
		return party[0].run(ctx, s)
	}
	err := errAlone // if it panics
	defer func() {
		for _, m := range party[1:] {
			if err != nil {
				m.err = toOthers(err)
			}
			m.turn <- nil
		}
	}()
	err = c.runJoint(ctx, party)
	return cmp.Or(err, party[0].err)
}

// toOthers returns what a failure of whoever ran the statement is to those who shared it. That there is no connection to be had is true for all.
func toOthers(err error) error {
	if f, ok := errors.AsType[*fault.Error](err); ok && f.Code == fault.Unavailable {
		return err
	}
	return errAlone
}

// runJoint runs the statement for many, and hands each their rows.
func (c *crowd) runJoint(ctx context.Context, party []*sharer) error {
	j, err := c.jointOf(ctx, party[0].fetch)
	if err != nil {
		return err
	}
	return party[0].unit.Read(ctx, func(values []driver.Value) error {
		of := party
		if len(j.listed) > 0 {
			place, err := placeAmong(len(party), values[len(values)-1])
			if err != nil {
				return err
			}
			of = party[place : place+1]
		}
		for _, m := range of {
			if m.err == nil {
				m.err = m.row(values)
			}
		}
		return nil
	}, j.Text, j.argumentsOf(party))
}

// jointOf returns the statement for many, written now or before.
func (c *crowd) jointOf(ctx context.Context, f *fetch) (*joint, error) {
	c.mu.Lock()
	j := c.joint
	c.mu.Unlock()
	if j != nil {
		return j, nil
	}
	j, err := f.writeJoint(ctx)
	if err == nil {
		c.mu.Lock()
		c.joint = j
		c.mu.Unlock()
	}
	return j, err
}
