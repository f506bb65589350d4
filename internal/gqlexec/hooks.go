package gqlexec

import (
	"context"
	"runtime/debug"

	"forge/internal/unit"
)

// BeforeCommit has do called just before the operation of ctx is committed. If the operation fails,
// do is not called.
func BeforeCommit(ctx context.Context, do func()) {
	a := ctx.Value(attemptKey{}).(*attempt)
	a.beforeCommit = append(a.beforeCommit, do)
}

// AfterCommit has do called once the changes of the operation of ctx are stored, before the answer
// is sent. It is for what must not happen for nothing, such as sending a message. If the operation
// fails, or the savepoint within which AfterCommit is called, do is not called.
func AfterCommit(ctx context.Context, do func(context.Context)) {
	a := ctx.Value(attemptKey{}).(*attempt)
	a.afterCommit = append(a.afterCommit, do)
}

// forgetCommit returns a function that forgets what was given to BeforeCommit and AfterCommit since
// the call of forgetCommit.
func (a *attempt) forgetCommit() (undo func()) {
	before, after := len(a.beforeCommit), len(a.afterCommit)
	return func() { a.beforeCommit, a.afterCommit = a.beforeCommit[:before], a.afterCommit[:after] }
}

// AfterRollback has do called, in a unit of work of its own, after the operation of ctx has failed
// for good and was rolled back. If the operation succeeds, do is not called. An error of do is
// logged.
func AfterRollback(ctx context.Context, do func(context.Context) error) {
	a := ctx.Value(attemptKey{}).(*attempt)
	a.afterRollback = append(a.afterRollback, do)
}

// runAfterCommit calls the functions given to AfterCommit, even if the client has hung up. A panic
// is logged: what the answer says is stored.
func (a *attempt) runAfterCommit(ctx context.Context) {
	defer func() {
		if panicked := recover(); panicked != nil {
			a.log.ErrorContext(ctx, "hook after a stored operation panicked", "operation", operationName(ctx), "error", panicked, "stack", string(debug.Stack()))
		}
	}()
	for _, do := range a.afterCommit {
		do(context.WithoutCancel(ctx))
	}
}

// runAfterRollback calls the functions given to AfterRollback, even if the client has hung up.
func (a *attempt) runAfterRollback(ctx context.Context) {
	if !a.failed.Load() {
		return
	}
	for _, do := range a.afterRollback {
		if err := a.inUnit(ctx, do); err != nil {
			a.log.ErrorContext(ctx, "hook after a rolled back operation failed", "operation", operationName(ctx), "error", err)
		}
	}
}

// inUnit calls do in a unit of work of its own, and tries again after conflicts with other
// transactions.
func (a *attempt) inUnit(ctx context.Context, do func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), retryTime)
	defer cancel()
	for n := 1; ; n++ {
		u := unit.New(a.db, unit.Write)
		err := do(unit.NewContext(ctx, u))
		if err == nil {
			err = u.Commit(ctx)
		}
		u.Rollback()
		if err == nil || !u.Transient() || n == maxWrites || backoff.Wait(ctx, n) != nil {
			return err
		}
	}
}
