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
	"forge/internal/database"
	"forge/internal/idempotency"
	"forge/internal/loader"
	"forge/internal/read"
	"forge/internal/replica"
	"forge/internal/retry"
	"forge/internal/telemetry"
	"forge/internal/unit"
)

// DispatchOperation returns the function that runs the operation, and the context to call it with.
func (e *executor) DispatchOperation(ctx context.Context, op *graphql.OperationContext) (graphql.ResponseHandler, context.Context) {
	return e.run, graphql.WithOperationContext(ctx, op)
}

// run runs the operation of ctx as one unit of work. It makes further attempts while shouldRetry
// allows them, and returns the answer of the last one. The unit is committed when the answer is
// complete. A mutation with a failed root field is rolled back.
func (e *executor) run(ctx context.Context) *graphql.Response {
	start := time.Now()
	if e.options.RequestTimeout > 0 { // the end of the context also ends the running statement
		limited, stop := context.WithTimeout(ctx, e.options.RequestTimeout)
		defer stop()
		ctx = limited
	}
	op := graphql.GetOperationContext(ctx)
	a := &attempt{executor: e, number: 1, began: start, op: op, mutation: op.Operation.Operation == ast.Mutation}
	for tries := 0; ; a = a.next() {
		response := a.run(ctx)
		if a.shouldRepeat(ctx, response) {
			telemetry.FromContext(ctx).Attempt(a.number + 1)
			continue
		}
		if response != nil && len(response.Errors) == 0 && !a.failed.Load() {
			return a.addWritten(ctx, response)
		}
		if a.keyRefused() {
			continue
		}
		if !a.unit.Unavailable() {
			tries++
		}
		if !a.shouldRetry(response, tries) || time.Since(start) > retryTime || a.pause(ctx) != nil {
			return a.addWritten(ctx, a.end(ctx, response))
		}
		telemetry.FromContext(ctx).Attempt(a.number + 1)
	}
}

// attempt is one run of an operation.
type attempt struct {
	*executor
	number    int
	began     time.Time // when the first attempt began
	op        *graphql.OperationContext
	mutation  bool
	operation *read.Operation
	unit      *unit.Unit
	answer    *budget.Answer
	failed    atomic.Bool // nothing of this attempt may be stored
	// withoutData says that a root field was refused that must not be null.
	withoutData atomic.Bool
	prepared    preparations
	key         *idempotency.Request // nil without an idempotency key
	sealed      string               // see seal; "" before it
	// stepwise says that the key is claimed, and its answer stored, by statements of their own,
	// which take round trips of their own and can tell more.
	stepwise bool
	// doubt is the error of this or an earlier attempt of which nobody knows whether its changes
	// were stored.
	doubt error

	host      *database.DB   // where the operation runs
	choice    replica.Choice // how it was chosen, of queries if there are replicas
	onPrimary bool           // no replica may be chosen
	repeat    bool           // what a replica answered does not count

	beforeCommit  []func()
	afterCommit   []func(context.Context)
	afterRollback []func(context.Context) error

	explanation *explanation // nil unless its statements are asked for

	failures failures
}

// next returns the next attempt at the same operation.
func (a *attempt) next() *attempt {
	n := &attempt{executor: a.executor, number: a.number + 1, began: a.began, op: a.op, mutation: a.mutation,
		prepared: a.prepared, sealed: a.sealed, doubt: a.doubt, stepwise: a.stepwise || a.doubt != nil, onPrimary: a.repeat}
	if a.keyRefused() {
		n.number, n.stepwise = a.number, true
	}
	return n
}

type attemptKey struct{}

// run runs the operation once, and commits or rolls back its changes. It returns nil if ctx ended
// before the operation began.
func (a *attempt) run(ctx context.Context) *graphql.Response {
	a.operation = a.engine.Prepare(a.op)
	mode := unit.Single
	switch {
	case a.mutation:
		mode = unit.Write
	case a.operation.Statements(a.db.Dialect) > 1:
		mode = unit.Snapshot
	}
	unreached := a.choose(ctx)
	a.unit = unit.New(a.host, mode)
	defer a.unit.Rollback()
	if a.number > 1 {
		a.unit.ConnectBy(a.began.Add(retryTime + lastConnect))
	}
	a.unit.OnSavepoint(a.forgetCommit)
	if a.mutation && a.options.Replicas != nil && a.options.Replicas.Positions() {
		a.unit.WantPosition()
	}
	if !a.mutation && a.op.Stats.GetExtension(searchesKey) != nil {
		a.unit.CheckPlans()
	}
	if a.options.HeldTooLong > 0 {
		held := ctx
		a.unit.OnLongHold(a.options.HeldTooLong, func() { a.warn(held) })
	}
	a.watch(ctx)
	ctx = unit.NewContext(ctx, a.unit)
	a.answer = budget.New(a.options.Limits.AnswerBytes)
	ctx = context.WithValue(budget.NewContext(ctx, a.answer), attemptKey{}, a)
	if unreached != nil {
		return a.refuse(ctx, unreached)
	}
	if a.mutation {
		var err error
		if ctx, err = a.prepareFiles(ctx, a.op); err != nil {
			return a.refuse(ctx, err)
		}
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
		response.Data = []byte("null") // the status, by which clients retry, is worth more
	}
	a.addExtensions(response)
	if a.failed.Load() {
		return response
	}
	if !a.mutation {
		_ = a.unit.Commit(ctx) // nothing was changed, and errors of reads are in the answer already
		a.addSeen(ctx, response)
		a.addExplanation(ctx, response)
		return response
	}
	if err := a.store(ctx, response); err != nil {
		return a.refuse(ctx, err) // the answer describes changes that may not be stored
	}
	if a.options.Wrote != nil {
		a.options.Wrote()
	}
	a.runAfterCommit(ctx)
	return response
}

// begin prepares a mutation before its first field is run. It returns nil if the mutation may go
// on. Otherwise it returns the answer: a refusal, or the stored answer of an earlier request with
// the same idempotency key.
func (a *attempt) begin(ctx context.Context) *graphql.Response {
	if err := a.checkMutation(ctx); err != nil {
		response := a.refuse(ctx, err)
		response.Data = nil // no field was run, so this is an error of the request
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
	if err := a.seal(ctx); err != nil {
		return a.refuse(ctx, err)
	}
	if begun, err := a.claimTogether(ctx); begun || err != nil {
		if err != nil {
			return a.refuse(ctx, err)
		}
		return nil
	}
	a.stepwise = true
	stored, err := a.claim(ctx)
	if err != nil {
		return a.refuse(ctx, err)
	}
	a.doubt = nil // the claim tells whether an earlier attempt was stored
	if stored != nil {
		// With synchronous replication, this commit waits until the stored answer is replicated.
		if err := a.commit(ctx, a.unit.Commit); err != nil {
			return a.refuse(ctx, err)
		}
	}
	return stored
}

// execute executes the fields of the operation. If the read engine can answer a query as a whole,
// gqlgen does not execute any field. execute returns nil if ctx has already ended.
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
		response = a.runFields(ctx)
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

// runFields has gqlgen execute the fields, unless there is one among them that it does not know.
func (a *attempt) runFields(ctx context.Context) *graphql.Response {
	own := slices.ContainsFunc(a.operation.RootFields(), a.carriesOut)
	switch {
	case own && a.mutation: // the engine reads what each root field refers to: see read.Engine.Mutate
		return a.runRoots(loader.NewContext(ctx))
	case own:
		return a.engine.Execute(ctx, a.runRoots)
	case a.api.WithoutEngine:
		return a.schema.Exec(ctx)(loader.NewContext(ctx))
	}
	return a.engine.Execute(ctx, func(ctx context.Context) *graphql.Response { return a.schema.Exec(ctx)(ctx) })
}

// carriesOut reports whether the framework answers a root field itself: a standard mutation, or what
// shows the log of changes.
func (a *attempt) carriesOut(f *ast.Field) bool {
	if a.mutation {
		return a.writes[f.Name] != nil
	}
	return a.engine.ShowsChanges(f)
}

// store commits the changes. If the request has an idempotency key, it stores the answer with them.
func (a *attempt) store(ctx context.Context, response *graphql.Response) error {
	if err := ctx.Err(); err != nil && !a.unit.Autocommitted() {
		return err // once a commit has begun, it might succeed although it was cancelled
	}
	commit := a.unit.Commit
	if a.key != nil {
		var err error
		if commit, err = a.keep(ctx, response); err != nil {
			return err
		}
	}
	for _, do := range a.beforeCommit {
		do()
	}
	return a.commit(ctx, commit)
}

func (a *attempt) commit(ctx context.Context, commit func(context.Context) error) error {
	err := commit(ctx)
	if a.key != nil && a.unit.OutcomeUnknown() {
		a.doubt = apperr.OutcomeUnknown(err, true)
		return a.doubt
	}
	return err
}

// end ends the last attempt and returns the final answer. If nobody knows whether an earlier
// attempt was stored, and this one did not find out, the answer is the error that says so.
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

// refuse returns an answer that consists of one error, and keeps this attempt from being stored.
func (a *attempt) refuse(ctx context.Context, err error) *graphql.Response {
	a.failed.Store(true)
	response := &graphql.Response{Errors: gqlerror.List{a.present.error(ctx, err)}, Data: []byte("null")}
	a.addExtensions(response)
	return response
}

// addExtensions adds the number of attempts at a mutation to the answer. In development it also
// adds the cost of the operation.
func (a *attempt) addExtensions(response *graphql.Response) {
	if response.Extensions == nil {
		response.Extensions = map[string]any{}
	}
	if a.options.Development {
		cost := a.unit.Cost()
		sql := map[string]any{
			"statements": cost.Statements,
			"durationMs": float64(cost.Time.Microseconds()) / 1000,
		}
		if a.choice.Replica() {
			sql["replica"] = a.choice.Name
		}
		response.Extensions["sql"] = sql
		response.Extensions["cost"] = map[string]any{
			"actual": a.op.Stats.GetExtension(costKey), "limit": a.options.Limits.Cost,
		}
	}
	if a.mutation {
		response.Extensions["tx"] = map[string]any{"attempts": a.number}
	}
}

// shouldRetry reports whether to attempt the operation again. The failure must have a reason that
// may be gone the next time, and attempts, the number of attempts that reached a database, must be
// below its bound. If the changes of an attempt may have been stored, a mutation is attempted again
// only with an idempotency key, which tells whether they were.
func (a *attempt) shouldRetry(response *graphql.Response, attempts int) bool {
	if !a.mutation {
		return attempts < maxReads && response != nil && len(response.Errors) > 0 && a.unit.Transient()
	}
	return attempts < maxWrites && a.failed.Load() && (a.unit.Transient() || a.doubt != nil)
}

// pause waits until the next attempt. While there is no database for the work of this operation,
// others run in its place. A mutation must not keep out reads, which a replica or a read-only
// server answers.
func (a *attempt) pause(ctx context.Context) error {
	wait := func() error { return backoff.Wait(ctx, a.number) }
	if a.unit.Unavailable() {
		return a.options.Admission.Pause(wait)
	}
	return wait()
}

// warn logs that an operation has held its connection for too long and still holds it.
func (e *executor) warn(ctx context.Context) {
	e.log.WarnContext(ctx, "an operation holds its database connection for long", "operation", operationName(ctx),
		"longerThan", e.options.HeldTooLong.String(), "requestId", telemetry.RequestID(ctx))
}

// operationName returns the operation's name, or its kind if the client gave it no name.
func operationName(ctx context.Context) string {
	op := graphql.GetOperationContext(ctx).Operation
	return cmp.Or(op.Name, string(op.Operation))
}

func isUnavailable(err *gqlerror.Error) bool {
	return err.Extensions["code"] == string(apperr.CodeUnavailable)
}

// These bound the attempts at one operation. Serializable mutations that run at once conflict until
// enough of them pause. A read is attempted again after its connection broke, but only a few times,
// since the read itself may break it. An attempt that found no database, or a read-only one, does
// not count, because the database may be about to come back.
const (
	maxWrites = 20
	maxReads  = 6
	retryTime = 10 * time.Second // no further attempt begins after this time
	// lastConnect is how long the last attempt then waits for a connection. A host that is silent
	// would keep it for as long as connecting may take.
	lastConnect = 2 * time.Second
)

// backoff sets the pauses between attempts.
var backoff = retry.Backoff{First: 10 * time.Millisecond, Max: 500 * time.Millisecond, Jitter: 1}

func isMutation(ctx context.Context) bool {
	return graphql.GetOperationContext(ctx).Operation.Operation == ast.Mutation
}

// stopAfterFailure is a root field middleware. After a root field of a mutation has failed, it
// skips the remaining ones, because the mutation will be rolled back.
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
