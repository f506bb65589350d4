package gqlexec

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"forge/internal/replica"
)

// needKey is the key under which the statistics of a query hold what it needs. Only queries that
// came as requests have one: subscriptions are evaluated on the primary, where their changes are.
const needKey = "need"

// findNeed returns a check that reads which positions a query was sent with. It returns nil if there
// are no replicas.
func findNeed(replicas *replica.Set) check {
	if replicas == nil {
		return nil
	}
	return func(_ context.Context, c *checked) gqlerror.List {
		if c.Operation.Operation != ast.Query {
			return nil
		}
		texts := c.Headers.Values(replica.Header)
		if text, ok := c.Extensions[replica.Extension].(string); ok {
			texts = append(texts, text)
		}
		need, err := replicas.Need(texts...)
		if err != nil {
			return gqlerror.List{gqlerror.WrapIfUnwrapped(err)}
		}
		c.Stats.SetExtension(needKey, need)
		return nil
	}
}

// choose chooses where the operation runs. A mutation runs on the primary, and so does a query that
// has failed on a replica. The log of changes is read there as well: a replica that is behind would
// take a cursor of the primary for one of another database.
func (a *attempt) choose(ctx context.Context) (err error) {
	a.host = a.db
	if a.options.Replicas == nil {
		return nil
	}
	need, routed := a.op.Stats.GetExtension(needKey).(replica.Need)
	if !routed {
		return nil
	}
	a.choice = a.options.Replicas.Primary()
	if !a.onPrimary && !slices.ContainsFunc(a.operation.RootFields(), a.engine.ShowsChanges) {
		a.choice, err = a.options.Replicas.Choose(ctx, need)
	}
	a.host = a.choice.DB
	return err
}

// waiting are the operations that wait for a primary that is away.
type waiting struct {
	mu    sync.Mutex
	count int
	since time.Time // when the first of them came
}

// unpressed is for how long any number of operations may wait for the primary: a switchover may take
// no longer.
const unpressed = time.Second

// place is that of an operation among those that wait for the primary.
type place struct {
	*executor
	taken, kept bool
}

// mayWait reports whether the operation may wait for the primary. While replicas answer queries, after
// a second no more operations may than half of those that run at once, so that there is room for the
// queries.
func (p *place) mayWait() bool {
	most := p.options.Admission.Most()
	if most == 0 || !p.options.Replicas.Answers() {
		return true
	}
	w := &p.waiting
	w.mu.Lock()
	defer w.mu.Unlock()
	if !p.taken {
		if w.count == 0 {
			w.since = time.Now()
		}
		w.count++
		p.taken, p.kept = true, w.count <= max(1, most/2)
	}
	return p.kept || time.Since(w.since) < unpressed
}

// leave returns the place, if the operation has one.
func (p *place) leave() {
	if p.taken {
		p.waiting.mu.Lock()
		p.waiting.count--
		p.waiting.mu.Unlock()
	}
}

// addSeen adds to the answer of a query the position up to which its client has seen.
func (a *attempt) addSeen(ctx context.Context, response *graphql.Response) {
	if a.choice.Host == nil || a.unit.Cost().Statements == 0 {
		return
	}
	position, err := a.options.Replicas.Seen(ctx, a.choice)
	if err != nil {
		a.repeat = true
		return
	}
	response.Extensions[replica.Extension] = position
}

// shouldRepeat reports whether a query has to run on the primary, because it failed on a replica.
func (a *attempt) shouldRepeat(ctx context.Context, response *graphql.Response) bool {
	if !a.choice.Replica() || response == nil || ctx.Err() != nil {
		return false
	}
	if a.repeat = a.repeat || len(response.Errors) > 0 && a.unit.Failed(); a.repeat {
		a.options.Replicas.Repeat(a.choice)
	}
	return a.repeat
}

// addWritten adds to the answer of a mutation the position up to which its client has written.
func (a *attempt) addWritten(ctx context.Context, response *graphql.Response) *graphql.Response {
	replicas := a.options.Replicas
	if replicas == nil || !a.mutation || response == nil || a.unit.Cost().Statements == 0 {
		return response
	}
	switch {
	case a.doubt != nil, a.unit.OutcomeUnknown():
		response.Extensions[replica.Extension] = replicas.Unknown()
	case !a.failed.Load(), a.unit.Autocommitted():
		if response.Extensions == nil {
			response.Extensions = map[string]any{}
		}
		response.Extensions[replica.Extension] = replicas.Wrote(ctx, a.unit.Position())
	}
	return response
}
