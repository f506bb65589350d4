package webhook

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
	"github.com/google/uuid"

	"forge/ent"
	entwebhook "forge/ent/webhook"
	"forge/internal/database"
	"forge/internal/unit"
)

// roundTime bounds the time of a unit of work. Without it, a connection that has fallen silent would
// hold an endpoint up for good.
const roundTime = 30 * time.Second

// Run delivers until ctx ends. If the database is lost, it tries again.
func (w *Webhooks) Run(ctx context.Context) {
	if w.Closed != "" {
		return
	}
	ctx, cancel := context.WithCancel(ctx)
	var all sync.WaitGroup
	defer all.Wait()
	defer cancel()
	running := map[uuid.UUID]*runner{}
	failed := false
	for ctx.Err() == nil {
		list, err := w.look(ctx)
		if err != nil && !failed && ctx.Err() == nil {
			w.Log.WarnContext(ctx, "the webhooks cannot be read, retrying", "error", database.RedactError(err))
		}
		if failed = err != nil; !failed {
			w.adjust(ctx, &all, running, list)
		}
		wait(ctx, w.Look, w.changed)
	}
}

// adjust has a runner run for each endpoint of a list, and for no other.
func (w *Webhooks) adjust(ctx context.Context, all *sync.WaitGroup, running map[uuid.UUID]*runner, list []*ent.Webhook) {
	listed := map[uuid.UUID]bool{}
	for _, row := range list {
		listed[row.ID] = true
		r := running[row.ID]
		if r == nil {
			within, stop := context.WithCancel(ctx)
			r = &runner{webhooks: w, id: row.ID, stop: stop, woken: make(chan struct{}, 1), moved: make(chan struct{}, 1)}
			r.due.Store(row.DueAt.UnixNano())
			running[row.ID] = r
			all.Go(func() { r.run(within) })
		}
		if due := row.DueAt.UnixNano(); r.due.Swap(due) != due {
			signal(r.moved) // it was enabled, or replayed
		}
	}
	for id, r := range running {
		if !listed[id] {
			r.stop()
			delete(running, id)
		}
	}
}

// look returns the endpoints that are enabled, without all that it takes to deliver to them.
func (w *Webhooks) look(ctx context.Context) (list []*ent.Webhook, err error) {
	ctx, cancel := context.WithTimeout(ctx, roundTime)
	defer cancel()
	rows, err := states(ctx, w.DB)
	if err != nil {
		return nil, err
	}
	var oldest, disabled int64
	for _, row := range rows {
		if row.DisabledAt != nil {
			disabled++
			continue
		}
		list = append(list, row)
		if since := row.FailingSince; since != nil && (oldest == 0 || since.UnixNano() < oldest) {
			oldest = since.UnixNano()
		}
	}
	w.oldest.Store(oldest)
	w.disabled.Store(disabled)
	return list, nil
}

// runner delivers to one endpoint. Its members without a comment are used by its goroutine alone.
type runner struct {
	webhooks *Webhooks
	id       uuid.UUID
	stop     func()
	woken    chan struct{} // has a value when there may be changes
	moved    chan struct{} // has a value when another one has changed when it is due
	due      atomic.Int64  // when it is due, as the last look at the list says

	following
}

func (r *runner) run(ctx context.Context) {
	defer r.end()
	for ctx.Err() == nil {
		pause, deaf := r.round(ctx)
		if deaf {
			wait(ctx, pause, r.moved)
		} else {
			wait(ctx, pause, r.moved, r.woken)
		}
	}
}

// round delivers what there is, if the endpoint is due. It returns how long to wait, and whether
// changes make no difference until then.
func (r *runner) round(ctx context.Context) (pause time.Duration, deaf bool) {
	w := r.webhooks
	row, pause, err := w.lease(ctx, r.id)
	if err != nil {
		if ctx.Err() == nil {
			w.Log.WarnContext(ctx, "a webhook cannot be leased, retrying", "webhook", (&ent.Webhook{ID: r.id}).GlobalID().String(), "error", database.RedactError(err))
		}
		return 5 * time.Second, true
	}
	if row == nil {
		return pause, true
	}
	if pause = r.deliver(ctx, row); pause > 0 {
		return pause, true
	}
	return w.Idle/2 + rand.N(w.Idle/2), false
}

// lease takes the endpoint for this server. If it is not due, or another server has it, it returns
// nil and how long to wait.
func (w *Webhooks) lease(ctx context.Context, id uuid.UUID) (row *ent.Webhook, pause time.Duration, err error) {
	err = w.within(ctx, func(ctx context.Context) error {
		u := unit.FromContext(ctx)
		now, err := u.Now(ctx)
		if err != nil {
			return err
		}
		query := ent.FromUnit(ctx).Webhook.Query().Where(entwebhook.ID(id), entwebhook.DisabledAtIsNil())
		if u.Dialect() == dialect.Postgres {
			query.ForUpdate(entsql.WithLockAction(entsql.SkipLocked))
		}
		found, err := query.Only(system(ctx))
		pause = w.Look
		switch {
		case ent.IsNotFound(err): // it is locked, disabled, or gone, which the next look tells
			return nil
		case err != nil:
			return err
		case found.DueAt.After(now):
			pause = found.DueAt.Sub(now)
			return nil
		case found.LeasedUntil != nil && found.LeasedUntil.After(now):
			return nil
		}
		row, err = ent.FromUnit(ctx).Webhook.UpdateOne(found).SetLease(uuid.New()).SetLeasedUntil(now.Add(w.Lease)).Save(system(ctx))
		return err
	})
	return row, pause, err
}

// within runs f as a unit of work.
func (w *Webhooks) within(ctx context.Context, f func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, roundTime)
	defer cancel()
	u := unit.New(w.DB, unit.Write)
	defer u.Rollback()
	if err := f(unit.NewContext(ctx, u)); err != nil {
		return err
	}
	return u.Commit(ctx)
}

// errTaken means that the lease of an endpoint has ended, or that an administrator has changed it.
var errTaken = errors.New("the lease has ended")

// keep changes an endpoint that this server has leased, with one statement. The error is errTaken if
// the lease is not this server's any more. It goes on when ctx ends, so that what was delivered is
// not delivered again.
func (w *Webhooks) keep(ctx context.Context, row *ent.Webhook, change func(update *ent.WebhookUpdate, now time.Time)) error {
	return w.within(context.WithoutCancel(ctx), func(ctx context.Context) error {
		now, err := unit.FromContext(ctx).Now(ctx)
		if err != nil {
			return err
		}
		update := ent.FromUnit(ctx).Webhook.Update().Where(entwebhook.ID(row.ID), entwebhook.Lease(*row.Lease))
		change(update, now)
		n, err := update.Save(system(ctx))
		if err != nil {
			return fmt.Errorf("change an endpoint: %w", err)
		}
		if n == 0 {
			return errTaken
		}
		return nil
	})
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// wait waits until the pause has passed, a channel has a value, or ctx ends.
func wait(ctx context.Context, pause time.Duration, channels ...chan struct{}) {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	channels = append(channels, nil) // from a nil channel, nothing comes
	select {
	case <-ctx.Done():
	case <-timer.C:
	case <-channels[0]:
	case <-channels[1]:
	}
}
