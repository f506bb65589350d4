package server

import (
	"context"
	"sync"
	"time"

	"forge/internal/changes"
	"forge/internal/expiry"
	"forge/internal/idempotency"
	"forge/internal/onetime"
	"forge/internal/session"
	"forge/internal/webhook"
)

// background starts the work that runs beside requests. The function that it returns ends this
// work, and returns when it has ended. That does not take long, because each statement has a
// deadline.
func (s *Server) background(ctx context.Context, pools Pools, identity *Identity, revocations *session.Revocations, keeper *changes.Keeper, hooks *webhook.Webhooks) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var all sync.WaitGroup
	all.Go(func() { identity.keepFresh(ctx) })
	all.Go(func() { revocations.Watch(ctx, pools.Monitor, time.Second, s.log) })
	all.Go(func() {
		expiry.Some(idempotency.Expired).Every(ctx, pools.Requests, time.Minute, "idempotency keys", s.log)
	})
	all.Go(func() { expiry.Some(session.Expired).Every(ctx, pools.Requests, time.Minute, "sessions", s.log) })
	all.Go(func() {
		expiry.Some(session.ExpiredSignIns).Every(ctx, pools.Requests, time.Hour, "entries of the log of sign-ins", s.log)
	})
	all.Go(func() { s.signing.KeepLog(ctx, s.log) })
	all.Go(func() {
		expiry.Some(onetime.Expired).Every(ctx, pools.Requests, time.Minute, "tokens that are good once", s.log)
	})
	all.Go(func() { expiry.Every(ctx, time.Minute, "failures to sign in", s.failures.Sweep, s.log) })
	all.Go(func() { expiry.Every(ctx, time.Minute, "persisted documents", s.documents.Sweep, s.log) })
	all.Go(func() { identity.keepKey(ctx, pools.Monitor, s.log) })
	all.Go(func() { s.factors.CheckKeys(ctx) })
	all.Go(func() { keeper.Run(ctx, s.log) })
	all.Go(func() { revocations.Announce(ctx, pools.Monitor) })
	channels := map[string]func(){session.Channel: revocations.Look}
	if feed := keeper.Feed(); feed != nil {
		channels[changes.Channel] = feed.Look
	}
	all.Go(func() { pools.Monitor.Listen(ctx, s.ChangesURL, channels) })
	all.Go(func() { hooks.Run(ctx) })
	if s.mails != nil {
		all.Go(func() { s.mails.Run(ctx) })
		all.Go(func() { expiry.Some(s.mails.Expired).Every(ctx, pools.Requests, time.Minute, "mails", s.log) })
	}
	if s.accounts != nil {
		all.Go(func() {
			expiry.Some(s.accounts.Erased).Every(ctx, pools.Requests, time.Minute, "accounts", s.log)
		})
	}
	all.Go(func() { s.uploads.Every(ctx, time.Hour) })
	all.Go(func() { pools.Requests.Watcher.Run(ctx) })
	if pools.Replicas != nil {
		watchReplicas(ctx, pools.Replicas)
	}
	all.Go(func() { pools.Monitor.KeepLogShort(ctx, s.log) })
	return func() {
		cancel()
		all.Wait()
	}
}
