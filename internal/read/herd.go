package read

import (
	"context"
	"encoding/json"
	"math"
	"sync"
	"time"

	"forge/internal/unit"
	"forge/internal/viewer"
)

// herds are the crowds of a plan: requests that ask for just the same, with the same variables and as the same viewer. One reads, and each writes
// its answer from what was read.
type herds struct {
	mu    sync.Mutex
	known map[question]*herd // that have somebody in it
}

type question struct {
	viewer    viewer.Viewer
	variables string // as JSON
}

type herd struct {
	crowd[*reading]
	members int
}

// reading is what one of them gets that does not read.
type reading struct {
	results []result
	cost    unit.Cost  // of reading them
	asked   []answered // of the context with which they were read: they are good where it gives the same answers
}

// herdPatience is how long a request waits for one that reads the same.
const herdPatience = time.Second

// longestQuestion bounds the variables that are compared.
const longestQuestion = 4 << 10

// join returns the herd of a question, and what to call when it is answered.
func (h *herds) join(q question) (*herd, func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.known == nil {
		h.known = map[question]*herd{}
	}
	of := h.known[q]
	if of == nil {
		of = new(herd)
		h.known[q] = of
	}
	of.members++
	return of, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		if of.members--; of.members == 0 {
			delete(h.known, q)
		}
	}
}

// question returns what the request asks beside the plan, or false if it is not to be compared with others: its statement may be shared by itself.
func (a *rootAnswer) question() (q question, ok bool) {
	q.viewer = a.viewer
	if len(a.op.Variables) == 0 {
		return q, true
	}
	if a.unit.Mode() != unit.Snapshot {
		return q, false
	}
	variables, err := json.Marshal(a.op.Variables)
	q.variables = string(variables)
	return q, err == nil && len(variables) <= longestQuestion
}

// loadShared loads what the field shows, or takes it over from a request that has asked for the same.
func (a *rootAnswer) loadShared(ctx context.Context) error {
	q, ok := a.question()
	if !ok || !a.sole || a.Alone {
		return a.loadAll(ctx)
	}
	herd, leave := a.plan.herds.join(q)
	defer leave()
	me := &sharer[*reading]{request: new(reading), most: math.MaxInt, patience: herdPatience}
	read, err := herd.share(ctx, me, func(ctx context.Context, party []*sharer[*reading]) error {
		var asked []answered
		if a.lent = len(party) > 1; a.lent {
			a.noted = &asked
		}
		if err := a.loadAll(ctx); err != nil {
			return err
		}
		for _, m := range party[1:] {
			*m.request = reading{a.results, a.unit.Cost(), asked}
		}
		return nil
	})
	switch {
	case read:
		return err
	case err == errAlone, err == nil && !stillAnswers(ctx, me.request.asked):
		return a.loadAll(ctx)
	case err == nil:
		a.results, a.lent = me.request.results, true
	}
	return a.unit.AddCost(me.request.cost, err)
}
