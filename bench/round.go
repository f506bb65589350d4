package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"
)

// round is one measurement of a target on a workload.
type round struct {
	Workload, Target string
	RTT              time.Duration // from the server to PostgreSQL and back
	Requests         int
	Seconds          float64
	P50, P95, P99    float64 // milliseconds
	// The processor time in seconds of the server, of PostgreSQL, of this program, and of all other
	// programs.
	Server, Database, Client, Others float64
	Peak                             float64 // the largest resident memory of the server, in MiB
}

// load is a workload together with the server to which its requests go.
type load struct {
	workload    *workload
	server      *server
	database    *process // nil if the database runs in the server
	keys        *keys
	answer      []byte // the answer to every request, if all requests are the same
	connections int
}

// measure sends requests for the time warm, and then for the time duration. It returns the results
// of the second time. It returns an error if an answer is wrong.
func (l *load) measure(ctx context.Context, warm, duration time.Duration) (*round, error) {
	if err := l.server.forgetPeak(); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	begin := time.Now().Add(warm)
	end := begin.Add(duration)
	var mu sync.Mutex
	var all []time.Duration
	var failed error
	var clients sync.WaitGroup
	for range l.connections {
		clients.Go(func() {
			took, err := l.ask(ctx, begin, end)
			mu.Lock()
			defer mu.Unlock()
			all = append(all, took...)
			if err != nil && failed == nil {
				failed = err
				cancel()
			}
		})
	}
	wait(ctx, begin)
	before, start := l.cpu(), time.Now()
	wait(ctx, end)
	after, spent := l.cpu(), time.Since(start)
	clients.Wait()
	if failed == nil {
		failed = ctx.Err()
	}
	if failed == nil && len(all) == 0 {
		failed = errors.New("no answer in time")
	}
	if failed != nil {
		return nil, fmt.Errorf("%s of %s: %w", l.workload.name, l.server.name, failed)
	}
	slices.Sort(all)
	at := func(p float64) float64 { return float64(all[int(p*float64(len(all)))].Microseconds()) / 1000 }
	r := &round{Workload: l.workload.name, Target: l.server.name, Requests: len(all), Seconds: spent.Seconds(), P50: at(.5), P95: at(.95), P99: at(.99)}
	r.Peak = l.server.peak()
	r.Server, r.Database, r.Client = after[0]-before[0], after[1]-before[1], after[2]-before[2]
	r.Others = max(0, after[3]-before[3]-r.Server-r.Database-r.Client)
	return r, nil
}

// cpu returns the processor time that the server, the database, this program and the whole machine
// have used so far.
func (l *load) cpu() (taken [4]float64) {
	taken[0] = l.server.cpu()
	if l.database != nil {
		taken[1] = l.database.cpu()
	}
	taken[2], taken[3] = ownCPU(), machineCPU()
	return taken
}

func wait(ctx context.Context, until time.Time) {
	select {
	case <-ctx.Done():
	case <-time.After(time.Until(until)):
	}
}

// ask sends requests one after the other until end. It returns the times of those that began after
// begin and ended before end.
func (l *load) ask(ctx context.Context, begin, end time.Time) ([]time.Duration, error) {
	form := l.server.form(l.workload)
	c, err := dial(l.server, form.path)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	random := rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64()))
	var all []time.Duration
	var body []byte
	for now := time.Now(); now.Before(end) && ctx.Err() == nil; {
		r := l.workload.next(l.keys, random)
		body = form.body(body[:0], &r)
		answer, err := c.post(body)
		if err == nil {
			err = l.check(&r, answer)
		}
		if err != nil {
			return nil, err
		}
		then := time.Now()
		if now.After(begin) && then.Before(end) {
			all = append(all, then.Sub(now))
		}
		now = then
	}
	return all, nil
}

// rows returns the number of objects with an ID in an answer.
func (l *load) rows() int {
	if l.server != nil && l.server.name == "user" && l.workload.own > 0 {
		return l.workload.own
	}
	return l.workload.rows
}

// check returns an error if the answer is wrong.
func (l *load) check(r *request, answer []byte) error {
	switch {
	case l.answer != nil:
		if !bytes.Equal(answer, l.answer) {
			return fmt.Errorf("the answer differs from those before: %.300s", answer)
		}
	case bytes.Count(answer, []byte(`"id":"`)) != l.rows():
		return fmt.Errorf("the answer has not %d rows: %.300s", l.rows(), answer)
	case !bytes.Contains(answer, []byte(r.holds)):
		return fmt.Errorf("the answer does not hold %s: %.300s", r.holds, answer)
	}
	return nil
}
