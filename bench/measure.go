package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
)

const (
	counted = 100 // the number of requests whose statements are counted
	noisy   = 0.2 // the number of processors that other programs may use in a round
)

// measure compares the answers of all servers to a workload, and then measures each server.
func (b *bench) measure(ctx context.Context, w *workload) error {
	loads, err := b.loads(w)
	if err != nil {
		return err
	}
	before, err := b.store.audit(ctx)
	if err != nil {
		return err
	}
	if err := b.rounds(ctx, loads); err != nil {
		return err
	}
	if b.rtt == b.rtts[0] { // statements are the same at all distances
		if err := b.count(ctx, loads); err != nil {
			return err
		}
	}
	after, err := b.store.audit(ctx)
	if err == nil && before != after {
		err = fmt.Errorf("%s: %d pieces were in stock and in orders, and now there are %d", w.name, before, after)
	}
	return err
}

// loads compares the answers of all servers, and returns a load for each server.
func (b *bench) loads(w *workload) ([]*load, error) {
	servers := b.servers
	if w.alone {
		servers = slices.DeleteFunc(slices.Clone(servers), func(s *server) bool { return handWritten(s.name) || s.name == "stock" })
	}
	answers, err := compare(w, servers)
	if err != nil {
		return nil, err
	}
	loads := make([]*load, len(servers))
	for i, s := range servers {
		loads[i] = &load{w, s, b.store.process(), s.keys, nil, b.connections}
		if w.draw == nil {
			loads[i].answer = answers[i]
		}
	}
	return loads, nil
}

// rounds measures each load several times. A different load comes first each time.
func (b *bench) rounds(ctx context.Context, loads []*load) error {
	for _, l := range loads { // lets plans, pools and heaps reach their final sizes
		if _, err := l.measure(ctx, 0, b.duration/2); err != nil {
			return err
		}
	}
	for n := range b.options.rounds {
		for i := range loads {
			l := loads[(i+n)%len(loads)]
			if l.workload.writes {
				if err := b.store.tidy(ctx); err != nil {
					return err
				}
			}
			r, err := b.quietRound(ctx, l)
			if err != nil {
				return err
			}
			r.RTT = b.rtt
			b.result.Rounds = append(b.result.Rounds, r)
		}
	}
	return nil
}

// quietRound measures a load. If other programs were busy, it measures again, at most twice.
func (b *bench) quietRound(ctx context.Context, l *load) (r *round, err error) {
	for range 3 {
		if r, err = l.measure(ctx, b.duration/5, b.duration); err != nil || others(r) <= noisy {
			break
		}
	}
	return r, err
}

// count counts the statements of a request.
func (b *bench) count(ctx context.Context, loads []*load) error {
	random := rand.New(rand.NewPCG(3, 4))
	for _, l := range loads {
		found, err := b.store.count(ctx, counted, func() error {
			for range counted {
				r := l.workload.next(l.keys, random)
				if _, err := l.server.once(l.workload, &r); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		b.result.count(l, found)
	}
	return nil
}
