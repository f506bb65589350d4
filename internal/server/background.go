package main

import (
	"context"
	"sync"
	"time"

	"forge/internal/database"
	"forge/internal/expiry"
	"forge/internal/idempotency"
	"forge/internal/session"
)

// background begins what goes on beside requests, and returns what ends it and waits until it has. Each statement of it has a deadline.
func (p program) background(ctx context.Context, db, beside *database.DB, who *identity, revocations *session.Revocations) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var all sync.WaitGroup
	all.Go(func() { who.keepFresh(ctx) })
	all.Go(func() { revocations.Watch(ctx, beside, time.Second, p.log) })
	all.Go(func() { expiry.Some(idempotency.Expired).Every(ctx, db, time.Minute, "idempotency keys", p.log) })
	all.Go(func() { expiry.Some(session.Expired).Every(ctx, db, time.Minute, "sessions", p.log) })
	return func() {
		cancel()
		all.Wait()
	}
}
