package gqlexec

import (
	"context"
	"errors"

	"github.com/99designs/gqlgen/graphql"

	"forge/internal/telemetry"
)

// bounded returns a context that ends when the operation has taken too long, and a function to call when the operation is over. With the
// context, the statement that runs ends as well.
func (o *operations) bounded(ctx context.Context) (_ context.Context, over context.CancelFunc) {
	if o.RequestTimeout == 0 {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, o.RequestTimeout)
}

// refuseLate counts an operation that has taken too long, unless it succeeded nevertheless.
func refuseLate(ctx context.Context, response *graphql.Response) {
	if (response == nil || len(response.Errors) > 0) && errors.Is(ctx.Err(), context.DeadlineExceeded) {
		telemetry.FromContext(ctx).Refuse(telemetry.Deadline)
	}
}
