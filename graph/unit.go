package graph

import (
	"cmp"
	"context"
	"log/slog"
	"math/rand/v2"
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
	"forge/internal/telemetry"
	"forge/internal/unit"
)

// operations runs each operation as one unit of work. It is committed once the answer is complete; a mutation one of whose root
// fields failed is rolled back. An operation that was refused never gets here.
type operations struct {
	Config
	schema  graphql.ExecutableSchema
	db      *database.DB
	engine  *read.Engine
	present graphql.ErrorPresenterFunc
	log     *slog.Logger
}

// run runs the operation that ctx is about, as often as it is worth while.
func (o *operations) run(ctx context.Context) *graphql.Response {
	start := time.Now()
	var made hashes
	record := telemetry.FromContext(ctx)
	ctx = record.StartOperation(ctx)
	ctx, stop := o.bounded(ctx)
	defer stop()
	tries, doubt := 0, error(nil)
	for n := 1; ; n++ {
		record.Attempt(n)
		a := &attempt{operations: o, number: n, unit: unit.New(o.db, modeOf(ctx, o.engine)), hashes: made, doubt: doubt}
		response := a.run(ctx)
		made, doubt = a.hashes, a.doubt
		if !a.unit.Unavailable() {
			tries++
		}
		if !a.inVain(response, tries) || time.Since(start) > retried || !pause(ctx, n) {
			response = a.doubted(ctx, response)
			a.settle(ctx)
			a.logFailures(ctx)
			record.StopOperation()
			refuseLate(ctx, response)
			return response
		}
	}
}

// attempt is an operation being run, for the first time or again.
type attempt struct {
	*operations
	number int
	unit   *unit.Unit
	failed atomic.Bool // nothing of it is to be stored
	hashes hashes      // see hashPasswords
	// doubt is the error of an attempt of the operation, this or an earlier one, of which it is not known whether it was stored.
	doubt error

	ready     []func()                      // see beforeCommit
	aftermath []func(context.Context) error // see afterFailure

	failures failures
}

type attemptKey struct{}

// run runs the operation and commits or rolls back what it did.
func (a *attempt) run(ctx context.Context) *graphql.Response {
	defer a.unit.Rollback()
	if a.HeldTooLong > 0 {
		a.unit.OnLongHold(a.HeldTooLong, func() { a.warn(ctx) })
	}
	ctx = context.WithValue(unit.NewContext(ctx, a.unit), attemptKey{}, a)
	answer := budget.New(a.Limits.AnswerBytes)
	ctx = budget.NewContext(ctx, answer)
	if err := a.admit(ctx); err != nil {
		response := a.refuse(ctx, err)
		response.Data = nil // nothing was run: it is an error of the request
		return response
	}
	request, err := keyed(ctx)
	if err != nil {
		return a.refuse(ctx, err)
	}
	a.hashPasswords(ctx)
	if request != nil {
		known, err := a.claim(ctx, request)
		if err != nil {
			return a.refuse(ctx, err)
		}
		a.doubt = nil // the key is there if an earlier attempt was stored, and else this one decides
		if known != nil {
			// A commit waits until what was stored before is replicated, if that is asked for.
			if err := a.commit(ctx, request); err != nil {
				return a.refuse(ctx, err)
			}
			return known
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
		response.Data = []byte("null") // no part of the answer is better than the status that says: try again
	}
	a.tell(ctx, response)
	if a.failed.Load() {
		return response
	}
	if a.unit.Mode() != unit.Write {
		_ = a.unit.Commit(ctx) // there is nothing to keep, and the answer says itself what failed
		return response
	}
	if err := a.store(ctx, request, response); err != nil {
		return a.refuse(ctx, err) // nothing of what the answer says was stored, or nobody knows
	}
	return response
}

// store commits what was done, and with it the answer if there is a key to find it by.
func (a *attempt) store(ctx context.Context, request *idempotency.Request, response *graphql.Response) error {
	if err := ctx.Err(); err != nil && !a.unit.Autocommitted() {
		return err // once the commit has begun it is not broken off: it might be carried out nevertheless
	}
	if request != nil {
		if err := a.keep(ctx, request, response); err != nil {
			return err
		}
	}
	for _, do := range a.ready {
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

// doubted returns the answer to the operation's last attempt. If an earlier one may have been stored, and this one has not found out, it
// says so.
func (a *attempt) doubted(ctx context.Context, response *graphql.Response) *graphql.Response {
	if a.doubt == nil || a.unit.OutcomeUnknown() {
		return response
	}
	return a.refuse(ctx, a.doubt)
}

// refuse answers with an error alone.
func (a *attempt) refuse(ctx context.Context, err error) *graphql.Response {
	a.failed.Store(true)
	response := &graphql.Response{Errors: gqlerror.List{a.present(ctx, err)}, Data: []byte("null")}
	a.tell(ctx, response)
	return response
}

// tell adds what the operation took to its answer.
func (a *attempt) tell(ctx context.Context, response *graphql.Response) {
	if response.Extensions == nil {
		response.Extensions = map[string]any{}
	}
	if a.Development {
		cost := a.unit.Cost()
		response.Extensions["sql"] = map[string]any{
			"statements": cost.Statements,
			"durationMs": float64(cost.Time.Microseconds()) / 1000,
		}
		response.Extensions["cost"] = map[string]any{
			"actual": graphql.GetOperationContext(ctx).Stats.GetExtension(costKey), "limit": a.Limits.Cost,
		}
	}
	if isMutation(ctx) {
		response.Extensions["tx"] = map[string]any{"attempts": a.number}
	}
}

// inVain reports that the attempt failed for a reason that may be gone the next time, and that there is to be one: tries is how many
// have met a database. Of what may have been stored there is a next time only if its key tells whether it was.
func (a *attempt) inVain(response *graphql.Response, tries int) bool {
	if a.unit.Mode() != unit.Write {
		return tries < reads && a.unit.Transient() && response != nil && len(response.Errors) > 0
	}
	return tries < writes && a.failed.Load() && (a.unit.Transient() || a.doubt != nil)
}

// warn logs an operation that holds its connection for too long, while it still does.
func (o *operations) warn(ctx context.Context) {
	o.log.WarnContext(ctx, "an operation holds its database connection for long", "operation", operationName(ctx),
		"longerThan", o.HeldTooLong.String(), "requestId", telemetry.RequestID(ctx))
}

// operationName is the name that the client gave the operation, or else its kind.
func operationName(ctx context.Context) string {
	op := graphql.GetOperationContext(ctx).Operation
	return cmp.Or(op.Name, string(op.Operation))
}

func unavailable(response *graphql.Response) bool {
	return slices.ContainsFunc(response.Errors, func(err *gqlerror.Error) bool {
		return err.Extensions["code"] == string(apperr.CodeUnavailable)
	})
}

// How often an operation is run at most, and after which time not again. Where mutations are serializable, many at once are
// in each other's way until enough of them pause; a read is run again when its connection broke, which it may be the cause of. Attempts
// that find no database, or one that does not write, do not count: it may be about to come back.
const (
	writes  = 20
	reads   = 6
	retried = 10 * time.Second
)

// pause waits before the next attempt, longer each time and never as long as others do. It reports whether there is time left.
func pause(ctx context.Context, attempt int) bool {
	longest := min(5*time.Millisecond<<min(attempt, 10), 500*time.Millisecond)
	select {
	case <-ctx.Done():
		return false
	case <-time.After(rand.N(longest)):
		return true
	}
}

func isMutation(ctx context.Context) bool {
	return graphql.GetOperationContext(ctx).Operation.Operation == ast.Mutation
}

func modeOf(ctx context.Context, engine *read.Engine) unit.Mode {
	switch {
	case isMutation(ctx):
		return unit.Write
	case engine.Statements(graphql.GetOperationContext(ctx)) > 1:
		return unit.Snapshot
	default:
		return unit.Single
	}
}

// stopAfterFailure skips the root fields of a mutation that follow a failed one: nothing of them would be stored.
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
