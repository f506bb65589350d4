package coalesce

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// work is work whose runs wait until the test ends them.
type work struct {
	*testing.T
	group   Group[*request]
	options Options
	gate    chan struct{}
	batches [][]string // the batches that were run, as the names of their requests
	fail    func(batch []string) error
}

type request struct {
	name   string
	served string // the name of the leader whose batch served the request
	refuse error  // the error that the leader sets for this request
	done   atomic.Bool
	led    bool
	err    error
}

// newWork returns work with Concurrency runs going on.
func newWork(t *testing.T) *work {
	w := &work{T: t, options: Options{MaxBatch: 64, Patience: time.Minute}, gate: make(chan struct{})}
	for i := range Concurrency {
		w.ask(t.Context(), fmt.Sprint("first ", i))
	}
	return w
}

// ask starts a request, and returns when it runs or waits.
func (w *work) ask(ctx context.Context, name string) *request {
	r := &request{name: name}
	w.start(ctx, r)
	return r
}

func (w *work) start(ctx context.Context, r *request) {
	go func() {
		defer func() {
			if panicked := recover(); panicked != nil {
				r.err = fmt.Errorf("panic: %v", panicked)
			}
			r.done.Store(true)
		}()
		r.led, r.err = w.group.Do(ctx, r, w.options, w.run)
	}()
	synctest.Wait()
}

func (w *work) run(ctx context.Context, batch []*Waiter[*request]) error {
	var names []string
	for _, of := range batch {
		names = append(names, of.Request.name)
	}
	w.batches = append(w.batches, names)
	select {
	case <-w.gate:
	case <-ctx.Done():
		return ctx.Err()
	}
	if w.fail != nil {
		if err := w.fail(names); err != nil {
			return err
		}
	}
	for _, of := range batch {
		if of.Request.served, of.Err = names[0], of.Request.refuse; of.Err != nil {
			of.Request.served = ""
		}
	}
	return nil
}

// end ends n runs.
func (w *work) end(n int) {
	for range n {
		w.gate <- struct{}{}
		synctest.Wait()
	}
}

// served fails the test unless the batch of the leader named by has served the request.
func (w *work) served(r *request, by string) {
	w.Helper()
	if !r.done.Load() || r.err != nil || r.served != by || r.led != (r.name == by) {
		w.Errorf("%s: done %t, led %t, served by %q, error %v; want it served by %q", r.name, r.done.Load(), r.led, r.served, r.err, by)
	}
}

func (w *work) failed(r *request, want error) {
	w.Helper()
	if !r.done.Load() || !errors.Is(r.err, want) {
		w.Errorf("%s: done %t, error %v; want %v", r.name, r.done.Load(), r.err, want)
	}
}

// idle fails the test if a request runs or waits.
func (w *work) idle() {
	w.Helper()
	if w.group.running != 0 || len(w.group.waiting) != 0 {
		w.Errorf("%d are running and %d waiting when everything is over", w.group.running, len(w.group.waiting))
	}
}

func TestGroup(t *testing.T) {
	for name, test := range map[string]func(*work){
		"one run for all who wait": func(w *work) {
			a, b, c := w.ask(w.Context(), "a"), w.ask(w.Context(), "b"), w.ask(w.Context(), "c")
			w.end(Concurrency + 1)
			w.served(a, "a")
			w.served(b, "a")
			w.served(c, "a")
			if want := [][]string{{"first 0"}, {"first 1"}, {"a", "b", "c"}}; !slices.EqualFunc(w.batches, want, slices.Equal[[]string]) {
				w.Errorf("ran %q, want %q", w.batches, want)
			}
			w.idle()
		},
		"alone again afterwards": func(w *work) {
			w.end(Concurrency)
			a := w.ask(w.Context(), "a")
			w.end(1)
			w.served(a, "a")
			w.idle()
		},
		"no more than there is room for": func(w *work) {
			w.options.MaxBatch = 1
			a, b := w.ask(w.Context(), "a"), w.ask(w.Context(), "b")
			if n := len(w.batches); n != Concurrency+1 {
				w.Errorf("%d runs go on, want one more for a request without room", n)
			}
			w.end(Concurrency + 2)
			w.served(a, "a")
			w.served(b, "b")
			w.idle()
		},
		"a waiter that leaves holds up nobody": func(w *work) {
			ctx, cancel := context.WithCancel(w.Context())
			first := w.ask(ctx, "first")
			a := w.ask(w.Context(), "a")
			last := w.ask(ctx, "last")
			cancel()
			synctest.Wait()
			w.failed(first, context.Canceled)
			w.failed(last, context.Canceled)
			w.end(Concurrency + 1)
			w.served(a, "a")
			w.idle()
		},
		"a leader that leaves": func(w *work) {
			ctx, cancel := context.WithCancel(w.Context())
			leader := w.ask(ctx, "leader")
			a := w.ask(w.Context(), "a")
			w.end(1)
			cancel()
			synctest.Wait()
			w.failed(leader, context.Canceled)
			w.failed(a, ErrNotShared)
			w.end(Concurrency - 1)
			w.idle()
		},
		"a waiter that leaves while it is worked for": func(w *work) {
			ctx, cancel := context.WithCancel(w.Context())
			leader, gone, a := w.ask(w.Context(), "leader"), w.ask(ctx, "gone"), w.ask(w.Context(), "a")
			w.end(1)
			cancel()
			synctest.Wait()
			w.failed(gone, context.Canceled)
			w.end(Concurrency)
			w.served(leader, "leader")
			w.served(a, "leader")
			w.idle()
		},
		"a failure is not that of the others": func(w *work) {
			bad := errors.New("bad")
			w.fail = func(batch []string) error {
				if len(batch) > 1 {
					return bad
				}
				return nil
			}
			a, b := w.ask(w.Context(), "a"), w.ask(w.Context(), "b")
			w.end(Concurrency + 1)
			w.failed(a, bad)
			w.failed(b, ErrNotShared)
			w.idle()
		},
		"a common failure is that of all": func(w *work) {
			bad := errors.New("bad")
			w.fail = func([]string) error { return bad }
			w.options.Common = func(err error) bool { return err == bad }
			a, b := w.ask(w.Context(), "a"), w.ask(w.Context(), "b")
			w.end(Concurrency + 1)
			w.failed(a, bad)
			w.failed(b, bad)
		},
		"an error of one": func(w *work) {
			bad := errors.New("bad")
			a, b, c := &request{name: "a", refuse: bad}, &request{name: "b", refuse: bad}, &request{name: "c"}
			for _, r := range []*request{a, b, c} {
				w.start(w.Context(), r)
			}
			w.end(Concurrency + 1)
			w.failed(a, bad)
			w.failed(b, bad)
			w.served(c, "a")
		},
		"a panic": func(w *work) {
			w.fail = func(batch []string) error {
				if len(batch) > 1 {
					panic("no")
				}
				return nil
			}
			a, b := w.ask(w.Context(), "a"), w.ask(w.Context(), "b")
			w.end(Concurrency + 1)
			if a.err == nil {
				w.Error("the leader panics, and nobody hears of it")
			}
			w.failed(b, ErrNotShared)
			w.idle()
		},
		"patience ends": func(w *work) {
			w.options.Patience = time.Second
			a := w.ask(w.Context(), "a")
			time.Sleep(time.Second - time.Nanosecond)
			if synctest.Wait(); a.done.Load() {
				w.Errorf("a waiter has given up early: %v", a.err)
			}
			time.Sleep(time.Nanosecond)
			synctest.Wait()
			w.failed(a, ErrNotShared)
			w.end(Concurrency)
			w.idle()
		},
		"patience does not end while it is worked for": func(w *work) {
			w.options.Patience = time.Second
			a, b := w.ask(w.Context(), "a"), w.ask(w.Context(), "b")
			w.end(1)
			time.Sleep(time.Hour)
			w.end(Concurrency)
			w.served(a, "a")
			w.served(b, "a")
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { test(newWork(t)) })
		})
	}
}

// TestGroupLeadAfterCancel ends the context of a leader before its run begins. The next waiting
// request becomes the leader.
func TestGroupLeadAfterCancel(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	g := &Group[int]{running: 1}
	next := &Waiter[int]{ready: make(chan []*Waiter[int], 1)}
	err := g.lead(ctx, []*Waiter[int]{{}, {cancelled: true}, next}, nil, func(context.Context, []*Waiter[int]) error {
		t.Error("the work is done though the leader's context has ended")
		return nil
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if batch := <-next.ready; len(batch) != 1 || batch[0] != next {
		t.Errorf("the next one leads %v", batch)
	}
	if g.promote([]*Waiter[int]{{cancelled: true}}); g.running != 0 {
		t.Errorf("%d are running, with everybody gone", g.running)
	}
}

func TestGroupsShareByKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g Groups[string, int]
		gate := make(chan struct{})
		runs := map[int]int{}
		o := Options{MaxBatch: 10, Patience: time.Minute}
		for i, key := range []string{"a", "a", "a", "a", "b", "b"} {
			go func() {
				_, err := g.Do(t.Context(), key, i, o, func(_ context.Context, batch []*Waiter[int]) error {
					runs[len(batch)]++
					<-gate
					return nil
				})
				if err != nil {
					t.Errorf("%s: %v", key, err)
				}
			}()
			synctest.Wait()
		}
		for range 5 {
			gate <- struct{}{}
			synctest.Wait()
		}
		if runs[1] != 4 || runs[2] != 1 {
			t.Errorf("runs by the size of their batch: %v, want 4 for one and 1 for two", runs)
		}
		if len(g.byKey) > 0 {
			t.Errorf("%d groups are kept with nobody in them", len(g.byKey))
		}
	})
}
