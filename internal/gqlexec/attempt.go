package gqlexec

import (
	"cmp"
	"context"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"forge/internal/apperr"
	"forge/internal/budget"
	"forge/internal/database"
	"forge/internal/idempotency"
	"forge/internal/read"
	"forge/internal/retry"
	"forge/internal/telemetry"
	"forge/internal/unit"
)

// operations runs each operation as one unit of work. The unit is committed once the answer is
// complete. A mutation with a failed root field is rolled back. Refused operations do not get here.
type operations struct {
	options Options
	api     API
	schema  graphql.ExecutableSchema
	db      *database.DB
	engine  *read.Engine
	present *presenter
	log     *slog.Logger
}

// run runs the operation of ctx, again and again while shouldRetry says so, and returns the answer
// of the last attempt.
func (o *operations) run(ctx context.Context) *graphql.Response {
	start := time.Now()
	var prepared preparations
	record := telemetry.FromContext(ctx)
	ctx = record.StartOperation(ctx)
	ctx, stop := o.bounded(ctx)
	defer stop()
	tries, doubt := 0, error(nil)
	for n := 1; ; n++ {
		record.Attempt(n)
		a := &attempt{operations: o, number: n, unit: unit.New(o.db, modeOf(ctx, o.engine)), prepared: prepared, doubt: doubt}
		response := a.run(ctx)
		prepared, doubt = a.prepared, a.doubt
		if !a.unit.Unavailable() {
			tries++
		}
		if !a.shouldRetry(response, tries) || time.Since(start) > retryTime || backoff.Wait(ctx, n) != nil {
			response = a.doubted(ctx, response)
			a.runAfterRollback(ctx)
			a.logFailures(ctx)
			record.StopOperation()
			countTimeout(ctx, response)
			return response
		}
	}
}

// attempt is one of the times that an operation is run.
type attempt struct {
	*operations
	number   int
	unit     *unit.Unit
	failed   atomic.Bool // nothing of it is to be stored
	prepared preparations
	// doubt is the error of this or an earlier attempt if nobody knows whether that was stored.
	doubt error

	beforeCommit  []func()
	afterRollback []func(context.Context) error

	failures failures
}

type attemptKey struct{}

// run runs the operation and commits or rolls back its changes. It returns nil if the operation was
// cancelled before it began.
func (a *attempt) run(ctx context.Context) *graphql.Response {
	defer a.unit.Rollback()
	if a.options.HeldTooLong > 0 {
		a.unit.OnLongHold(a.options.HeldTooLong, func() { a.warn(ctx) })
	}
	ctx = context.WithValue(unit.NewContext(ctx, a.unit), attemptKey{}, a)
	answer := budget.New(a.options.Limits.AnswerBytes)
	ctx = budget.NewContext(ctx, answer)
	if err := a.checkMutation(ctx); err != nil {
		response := a.refuse(ctx, err)
		response.Data = nil // nothing was run, so this is an error of the request
		return response
	}
	request, err := keyed(ctx)
	if err != nil {
		return a.refuse(ctx, err)
	}
	a.prepare(ctx)
	if request != nil {
		stored, err := a.claim(ctx, request)
		if err != nil {
			return a.refuse(ctx, err)
		}
		a.doubt = nil // the key exists if an earlier attempt was stored; otherwise this one decides
		if stored != nil {
			// With synchronous replication, the commit waits until the stored answer is replicated.
			if err := a.commit(ctx, request); err != nil {
				return a.refuse(ctx, err)
			}
			return stored
		}
	}
	response := a.execute(ctx)
	if response == nil {
		return nil
	}
	if answer.Exceeded() {
		telemetry.FromContext(ctx).Refuse(telemetry.Answer)
		return a.refuse(ctx, answer.Err())
	}
	if unavailable(response) || ctx.Err() != nil && len(response.Errors) > 0 {
		response.Data = []byte("null") // a part of the answer is worth less than a status to retry
	}
	a.addExtensions(ctx, response)
	if a.failed.Load() {
		return response
	}
	if a.unit.Mode() != unit.Write {
		_ = a.unit.Commit(ctx) // nothing was changed, and the answer itself has the errors
		return response
	}
	if err := a.store(ctx, request, response); err != nil {
		return a.refuse(ctx, err) // the answer describes changes that may not be stored
	}
	return response
}

// store commits the changes, and with them the answer if the request has an idempotency key.
func (a *attempt) store(ctx context.Context, request *idempotency.Request, response *graphql.Response) error {
	if err := ctx.Err(); err != nil && !a.unit.Autocommitted() {
		return err // a commit that has begun is not cancelled: it might succeed nevertheless
	}
	if request != nil {
		if err := a.storeAnswer(ctx, request, response); err != nil {
			return err
		}
	}
	for _, do := range a.beforeCommit {
		do()
	}
	return a.commit(ctx, request)
}

func (a *attempt) commit(ctx context.Context, request *idempotency.Request) error {
	err := a.unit.Commit(ctx)
	if request != nil && a.unit.OutcomeUnknown() {
		a.doubt = apperr.OutcomeUnknown(err, true)
		return a.doubt
	}
	return err
}

// doubted returns the answer to the last attempt. If an earlier attempt may have been stored, and
// this one did not find out, the answer says so.
func (a *attempt) doubted(ctx context.Context, response *graphql.Response) *graphql.Response {
	if a.doubt == nil || a.unit.OutcomeUnknown() {
		return response
	}
	return a.refuse(ctx, a.doubt)
}

// refuse returns an answer with nothing but an error.
func (a *attempt) refuse(ctx context.Context, err error) *graphql.Response {
	a.failed.Store(true)
	response := &graphql.Response{Errors: gqlerror.List{a.present.error(ctx, err)}, Data: []byte("null")}
	a.addExtensions(ctx, response)
	return response
}

// addExtensions adds the cost of the operation, and the number of attempts, to its answer.
func (a *attempt) addExtensions(ctx context.Context, response *graphql.Response) {
	if response.Extensions == nil {
		response.Extensions = map[string]any{}
	}
	if a.options.Development {
		cost := a.unit.Cost()
		response.Extensions["sql"] = map[string]any{
			"statements": cost.Statements,
			"durationMs": float64(cost.Time.Microseconds()) / 1000,
		}
		response.Extensions["cost"] = map[string]any{
			"actual": graphql.GetOperationContext(ctx).Stats.GetExtension(costKey), "limit": a.options.Limits.Cost,
		}
	}
	if isMutation(ctx) {
		response.Extensions["tx"] = map[string]any{"attempts": a.number}
	}
}

// shouldRetry reports whether to attempt the operation again: the reason of the failure may be gone
// the next time, and fewer attempts than allowed have met a database. If the attempt may have been
// stored, a further one follows only if an idempotency key tells whether it was.
func (a *attempt) shouldRetry(response *graphql.Response, attempts int) bool {
	if a.unit.Mode() != unit.Write {
		return attempts < maxReads && a.unit.Transient() && response != nil && len(response.Errors) > 0
	}
	return attempts < maxWrites && a.failed.Load() && (a.unit.Transient() || a.doubt != nil)
}

// warn logs an operation that has held its connection for too long and still holds it.
func (o *operations) warn(ctx context.Context) {
	o.log.WarnContext(ctx, "an operation holds its database connection for long", "operation", operationName(ctx),
		"longerThan", o.options.HeldTooLong.String(), "requestId", telemetry.RequestID(ctx))
}

// operationName returns the name that the client gave the operation, or else its kind.
func operationName(ctx context.Context) string {
	op := graphql.GetOperationContext(ctx).Operation
	return cmp.Or(op.Name, string(op.Operation))
}

func unavailable(response *graphql.Response) bool {
	return slices.ContainsFunc(response.Errors, func(err *gqlerror.Error) bool {
		return err.Extensions["code"] == string(apperr.CodeUnavailable)
	})
}

// Bounds of the attempts at one operation. Serializable mutations that run at once are in each
// other's way until enough of them pause. A read is attempted again after its connection broke,
// which the read itself may have caused. An attempt that found no database, or one that is
// read-only, does not count, because the database may be about to come back.
const (
	maxWrites = 20
	maxReads  = 6
	retryTime = 10 * time.Second // after which there is no further attempt
)

// backoff spaces the attempts.
var backoff = retry.Backoff{First: 10 * time.Millisecond, Max: 500 * time.Millisecond, Jitter: 1}

func isMutation(ctx context.Context) bool {
	return graphql.GetOperationContext(ctx).Operation.Operation == ast.Mutation
}

func modeOf(ctx context.Context, engine *read.Engine) unit.Mode {
	switch {
	case isMutation(ctx):
		return unit.Write
	case engine.Prepare(graphql.GetOperationContext(ctx)).Statements() > 1:
		return unit.Snapshot
	default:
		return unit.Single
	}
}

// stopAfterFailure is a root field middleware. It skips the root fields of a mutation after a
// failed one, because the mutation will be rolled back.
func stopAfterFailure(ctx context.Context, next graphql.RootResolver) graphql.Marshaler {
	if !isMutation(ctx) {
		return next(ctx)
	}
	a := ctx.Value(attemptKey{}).(*attempt)
	answer := budget.FromContext(ctx)
	if a.failed.Load() || answer.Exceeded() {
		return graphql.Null
	}
	before := answer.Errors()
	value := next(ctx)
	if value == graphql.Null && answer.Errors() > before {
		a.failed.Store(true)
	}
	return value
}
