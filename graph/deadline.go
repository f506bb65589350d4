package graph

import (
	"context"
	"errors"

	"forge/internal/telemetry"
)

// bounded returns a context that ends when the operation has taken too long, and a function to call when the operation is over. With the
// context, the statement that runs ends as well.
func (o *operations) bounded(ctx context.Context) (_ context.Context, over func()) {
	if o.RequestTimeout == 0 {
		return ctx, func() {}
	}
	record := telemetry.FromContext(ctx)
	ctx, cancel := context.WithTimeout(ctx, o.RequestTimeout)
	return ctx, func() {
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			record.Refuse(telemetry.Deadline)
		}
		cancel()
	}
}
