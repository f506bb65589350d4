package gqlexec

import (
	"context"
	"log/slog"
	"sync"

	"github.com/vektah/gqlparser/v2/ast"

	"forge/internal/apperr"
	"forge/internal/database"
	"forge/internal/telemetry"
)

// failure is an error whose cause is logged but not shown.
type failure struct {
	code  apperr.Code
	path  ast.Path
	cause error
}

func (f failure) log(ctx context.Context, log *slog.Logger) {
	log.ErrorContext(ctx, "request failed", "code", f.code, "path", f.path.String(), "error", database.RedactError(f.cause),
		"requestId", telemetry.RequestID(ctx))
}

// failures are the failures of an attempt. They are logged only if it is the last one.
type failures struct {
	mu   sync.Mutex
	seen []failure
}

// failed logs a failure. Within an attempt, it leaves that to the end of the last attempt.
func failed(ctx context.Context, log *slog.Logger, f failure) {
	a, ok := ctx.Value(attemptKey{}).(*attempt)
	if !ok {
		f.log(ctx, log)
		return
	}
	a.failures.mu.Lock()
	defer a.failures.mu.Unlock()
	a.failures.seen = append(a.failures.seen, f)
}

// logFailures logs the failures of the attempt.
func (a *attempt) logFailures(ctx context.Context) {
	a.failures.mu.Lock()
	defer a.failures.mu.Unlock()
	for _, f := range a.failures.seen {
		f.log(ctx, a.log)
	}
}
