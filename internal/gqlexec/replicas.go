package gqlexec

import (
	"context"
	"slices"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"forge/internal/apperr"
	"forge/internal/replica"
)

// needKey is the key under which the statistics of a query hold what it needs. Only queries that
// came as requests have one: subscriptions are evaluated on the primary, where their changes are.
const needKey = "need"

// findNeed returns a check that reads which positions a query was sent with. It returns nil if
// there are no replicas.
func findNeed(replicas *replica.Set) check {
	if replicas == nil {
		return nil
	}
	return func(_ context.Context, c *checked) gqlerror.List {
		if c.Operation.Operation != ast.Query {
			return nil
		}
		texts := c.Headers.Values(replica.Header)
		switch text := c.Extensions[replica.Extension].(type) {
		case nil:
		case string:
			texts = append(texts, text)
		default: // whoever sends a list of positions must not get older data without a word
			field := "extensions." + replica.Extension
			return gqlerror.List{gqlerror.WrapIfUnwrapped(apperr.BadInput(field, "%s must be a string: one position, or several with commas between them", field))}
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

// told returns the position for a message of a subscription, up to which its client will have seen.
// It returns "" if there are no replicas.
func (g *group) told() (at string) {
	if g.options.Replicas != nil {
		at, _ = g.options.Replicas.Told(g.ctx)
	}
	return at
}

// addTold adds what told has returned.
func addTold(response *graphql.Response, at string) {
	if at == "" {
		return
	}
	if response.Extensions == nil {
		response.Extensions = map[string]any{}
	}
	response.Extensions[replica.Extension] = at
}

// addWritten adds to the answer of a mutation the position up to which its client has written. What
// was refused tells of a state as well: whoever reads the row of a CONFLICT must not get the old
// one.
func (a *attempt) addWritten(ctx context.Context, response *graphql.Response) *graphql.Response {
	replicas := a.options.Replicas
	if replicas == nil || !a.mutation || response == nil || a.unit.Cost().Statements == 0 {
		return response
	}
	if response.Extensions == nil { // of a stored answer that had none
		response.Extensions = map[string]any{}
	}
	switch {
	case a.doubt != nil, a.unit.OutcomeUnknown():
		response.Extensions[replica.Extension] = replicas.Unknown()
	case !a.failed.Load(), a.unit.Autocommitted():
		response.Extensions[replica.Extension] = replicas.Wrote(ctx, a.unit.Position())
	case !slices.ContainsFunc(response.Errors, isUnavailable):
		if at, ok := replicas.Told(ctx); ok {
			addTold(response, at)
		}
	}
	return response
}
