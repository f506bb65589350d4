package gqlexec

import (
	"context"
	"errors"

	"github.com/99designs/gqlgen/graphql"

	"forge/internal/telemetry"
)

// bounded returns a context that ends when the operation has taken too long, and a function to call
// when the operation is over. The running statement ends with the context.
func (o *operations) bounded(ctx context.Context) (_ context.Context, over context.CancelFunc) {
	if o.options.RequestTimeout == 0 {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, o.options.RequestTimeout)
}

// countTimeout counts an operation that took too long, unless it succeeded nevertheless.
func countTimeout(ctx context.Context, response *graphql.Response) {
	if (response == nil || len(response.Errors) > 0) && errors.Is(ctx.Err(), context.DeadlineExceeded) {
		telemetry.FromContext(ctx).Refuse(telemetry.Deadline)
	}
}
