package gqlexec

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"forge/internal/apperr"
	"forge/internal/budget"
	"forge/internal/idempotency"
	"forge/internal/read"
	"forge/internal/retry"
	"forge/internal/telemetry"
	"forge/internal/unit"
)

// DispatchOperation returns the handler that runs the operation, and the context for it.
func (e *executor) DispatchOperation(ctx context.Context, op *graphql.OperationContext) (graphql.ResponseHandler, context.Context) {
	return e.run, graphql.WithOperationContext(ctx, op)
}

// run runs the operation of ctx as one unit of work, again and again while shouldRetry says so, and
// returns the answer of the last attempt. The unit is committed once the answer is complete. A
// mutation with a failed root field is rolled back.
func (e *executor) run(ctx context.Context) *graphql.Response {
	start := time.Now()
	if e.options.RequestTimeout > 0 { // the running statement ends with the context
		limited, stop := context.WithTimeout(ctx, e.options.RequestTimeout)
		defer stop()
		ctx = limited
	}
	op := graphql.GetOperationContext(ctx)
	a := &attempt{executor: e, number: 1, op: op, mutation: op.Operation.Operation == ast.Mutation}
	for tries := 0; ; a = a.next() {
		response := a.run(ctx)
		if response != nil && len(response.Errors) == 0 && !a.failed.Load() {
			return response
		}
		if !a.unit.Unavailable() {
			tries++
		}
		if !a.shouldRetry(response, tries) || time.Since(start) > retryTime || backoff.Wait(ctx, a.number) != nil {
			return a.end(ctx, response)
		}
		telemetry.FromContext(ctx).Attempt(a.number + 1)
	}
}

// attempt is one of the times that an operation is run.
type attempt struct {
	*executor
	number    int
	op        *graphql.OperationContext
	mutation  bool
	operation *read.Operation
	unit      *unit.Unit
	answer    *budget.Answer
	failed    atomic.Bool // nothing of it is to be stored
	// withoutData is whether a root field that must not be null was refused.
	withoutData atomic.Bool
	prepared    preparations
	key         *idempotency.Request // nil without an idempotency key
	// doubt is the error of this or an earlier attempt if nobody knows whether that was stored.
	doubt error

	beforeCommit  []func()
	afterRollback []func(context.Context) error

	failures failures
}

// next returns the attempt that follows.
func (a *attempt) next() *attempt {
	return &attempt{executor: a.executor, number: a.number + 1, op: a.op, mutation: a.mutation,
		prepared: a.prepared, doubt: a.doubt}
}

type attemptKey struct{}

// run runs the operation and commits or rolls back its changes. It returns nil if the operation was
// cancelled before it began.
func (a *attempt) run(ctx context.Context) *graphql.Response {
	a.operation = a.engine.Prepare(a.op)
	mode := unit.Single
	switch {
	case a.mutation:
		mode = unit.Write
	case a.operation.Statements() > 1:
		mode = unit.Snapshot
	}
	a.unit = unit.New(a.db, mode)
	defer a.unit.Rollback()
	if a.options.HeldTooLong > 0 {
		held := ctx
		a.unit.OnLongHold(a.options.HeldTooLong, func() { a.warn(held) })
	}
	ctx = unit.NewContext(ctx, a.unit)
	a.answer = budget.New(a.options.Limits.AnswerBytes)
	ctx = context.WithValue(budget.NewContext(ctx, a.answer), attemptKey{}, a)
	if a.mutation {
		if answer := a.begin(ctx); answer != nil {
			return answer
		}
	}
	response := a.execute(ctx)
	if response == nil {
		return nil
	}
	if a.answer.Exceeded() {
		telemetry.FromContext(ctx).Refuse(telemetry.Answer)
		return a.refuse(ctx, a.answer.Err())
	}
	if len(response.Errors) > 0 && (ctx.Err() != nil || slices.ContainsFunc(response.Errors, isUnavailable)) {
		response.Data = []byte("null") // a part of the answer is worth less than a status to retry
	}
	a.addExtensions(response)
	if a.failed.Load() {
		return response
	}
	if !a.mutation {
		_ = a.unit.Commit(ctx) // nothing was changed, and the answer itself has the errors
		return response
	}
	if err := a.store(ctx, response); err != nil {
		return a.refuse(ctx, err) // the answer describes changes that may not be stored
	}
	return response
}

// begin does what comes before the first field of a mutation. It returns an answer if the mutation
// is refused, or was answered before, and otherwise nil.
func (a *attempt) begin(ctx context.Context) *graphql.Response {
	if err := a.checkMutation(ctx); err != nil {
		response := a.refuse(ctx, err)
		response.Data = nil // nothing was run, so this is an error of the request
		return response
	}
	var err error
	if a.key, err = a.keyed(ctx); err != nil {
		return a.refuse(ctx, err)
	}
	a.prepare(ctx)
	if a.key == nil {
		return nil
	}
	stored, err := a.claim(ctx)
	if err != nil {
		return a.refuse(ctx, err)
	}
	a.doubt = nil // the key exists if an earlier attempt was stored; otherwise this one decides
	if stored != nil {
		// With synchronous replication, the commit waits until the stored answer is replicated.
		if err := a.commit(ctx); err != nil {
			return a.refuse(ctx, err)
		}
	}
	return stored
}

// execute executes the fields of the operation. Queries that the read engine can answer as a whole
// never reach gqlgen's execution. It returns nil if ctx has ended before.
func (a *attempt) execute(ctx context.Context) *graphql.Response {
	if ctx.Err() != nil {
		return nil
	}
	ctx = graphql.WithResponseContext(ctx, a.presentSome, recovered)
	response, whole := new(graphql.Response), false
	if !a.api.WithoutEngine {
		response.Data, whole = a.operation.Answer(ctx)
	}
	if !whole {
		response = a.schema.Exec(ctx)(ctx)
	}
	if a.withoutData.Load() {
		response.Data = []byte("null")
	}
	response.Errors = append(response.Errors, graphql.GetErrors(ctx)...)
	if n, code := a.answer.LeftOut(); n > 0 {
		response.Errors = append(response.Errors, leftOut(n, code))
	}
	response.Extensions = graphql.GetExtensions(ctx)
	return response
}

// store commits the changes, and with them the answer if the request has an idempotency key.
func (a *attempt) store(ctx context.Context, response *graphql.Response) error {
	if err := ctx.Err(); err != nil && !a.unit.Autocommitted() {
		return err // a commit that has begun is not cancelled: it might succeed nevertheless
	}
	if a.key != nil {
		if err := a.storeAnswer(ctx, response); err != nil {
			return err
		}
	}
	for _, do := range a.beforeCommit {
		do()
	}
	return a.commit(ctx)
}

func (a *attempt) commit(ctx context.Context) error {
	err := a.unit.Commit(ctx)
	if a.key != nil && a.unit.OutcomeUnknown() {
		a.doubt = apperr.OutcomeUnknown(err, true)
		return a.doubt
	}
	return err
}

// end ends the last attempt, and returns its answer. If an earlier attempt may have been stored,
// and this one did not find out, the answer says so.
func (a *attempt) end(ctx context.Context, response *graphql.Response) *graphql.Response {
	if a.doubt != nil && !a.unit.OutcomeUnknown() {
		response = a.refuse(ctx, a.doubt)
	}
	a.runAfterRollback(ctx)
	a.logFailures(ctx)
	if (response == nil || len(response.Errors) > 0) && errors.Is(ctx.Err(), context.DeadlineExceeded) {
		telemetry.FromContext(ctx).Refuse(telemetry.Deadline)
	}
	return response
}

// refuse returns an answer with nothing but an error.
func (a *attempt) refuse(ctx context.Context, err error) *graphql.Response {
	a.failed.Store(true)
	response := &graphql.Response{Errors: gqlerror.List{a.present.error(ctx, err)}, Data: []byte("null")}
	a.addExtensions(response)
	return response
}

// addExtensions adds the cost of the operation, and the number of attempts, to its answer.
func (a *attempt) addExtensions(response *graphql.Response) {
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
			"actual": a.op.Stats.GetExtension(costKey), "limit": a.options.Limits.Cost,
		}
	}
	if a.mutation {
		response.Extensions["tx"] = map[string]any{"attempts": a.number}
	}
}

// shouldRetry reports whether to attempt the operation again: the reason of the failure may be gone
// the next time, and fewer attempts than allowed have met a database. If the attempt may have been
// stored, a further one follows only if an idempotency key tells whether it was.
func (a *attempt) shouldRetry(response *graphql.Response, attempts int) bool {
	if !a.mutation {
		return attempts < maxReads && response != nil && len(response.Errors) > 0 && a.unit.Transient()
	}
	return attempts < maxWrites && a.failed.Load() && (a.unit.Transient() || a.doubt != nil)
}

// warn logs an operation that has held its connection for too long and still holds it.
func (e *executor) warn(ctx context.Context) {
	e.log.WarnContext(ctx, "an operation holds its database connection for long", "operation", operationName(ctx),
		"longerThan", e.options.HeldTooLong.String(), "requestId", telemetry.RequestID(ctx))
}

// operationName returns the name that the client gave the operation, or else its kind.
func operationName(ctx context.Context) string {
	op := graphql.GetOperationContext(ctx).Operation
	return cmp.Or(op.Name, string(op.Operation))
}

func isUnavailable(err *gqlerror.Error) bool {
	return err.Extensions["code"] == string(apperr.CodeUnavailable)
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

// stopAfterFailure is a root field middleware. It skips the root fields of a mutation after a
// failed one, because the mutation will be rolled back.
func stopAfterFailure(ctx context.Context, next graphql.RootResolver) graphql.Marshaler {
	if !isMutation(ctx) {
		return next(ctx)
	}
	a := ctx.Value(attemptKey{}).(*attempt)
	if a.failed.Load() || a.answer.Exceeded() {
		return graphql.Null
	}
	before := a.answer.Errors()
	value := next(ctx)
	if value == graphql.Null && a.answer.Errors() > before {
		a.failed.Store(true)
	}
	return value
}
