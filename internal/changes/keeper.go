package changes

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"entgo.io/ent/dialect"

	"forge/internal/database"
	"forge/internal/retry"
)

const (
	// tickPause is the time between two ticks, while this server writes nothing.
	tickPause = 250 * time.Millisecond
	// gatherTime is how long a tick waits after a commit for further ones.
	gatherTime = 10 * time.Millisecond
	sweepPause = time.Minute
	// roundTime is the longest time that a tick or a sweep may take. Without it, a connection that
	// has fallen silent would end them for good.
	roundTime = 30 * time.Second
)

// Keeper ticks and sweeps a log while a server runs. A nil Keeper does nothing.
type Keeper struct {
	log   *Log
	keep  time.Duration
	most  int64
	wrote chan struct{} // has a value after a commit of this server
	last  atomic.Int64  // when the last tick was taken, in Unix nanoseconds
	feed  *Feed
}

// NewKeeper returns a keeper that removes changes which are older than keep, and the oldest beyond
// most. It returns nil for a nil log.
func NewKeeper(log *Log, keep time.Duration, most int64) *Keeper {
	if log == nil {
		return nil
	}
	k := &Keeper{log: log, keep: keep, most: most, wrote: make(chan struct{}, 1), feed: NewFeed(log)}
	k.last.Store(time.Now().UnixNano())
	return k
}

// Feed returns what reads the log while Run runs. It is nil for a nil Keeper.
func (k *Keeper) Feed() *Feed {
	if k == nil {
		return nil
	}
	return k.feed
}

// Wrote tells the keeper that this server has committed changes, so that it ticks at once.
func (k *Keeper) Wrote() {
	if k == nil {
		return
	}
	if k.log.dialect == dialect.SQLite {
		k.feed.Look()
		return
	}
	select {
	case k.wrote <- struct{}{}:
	default:
	}
}

// Age returns how long ago the last tick was taken. On SQLite, it returns 0.
func (k *Keeper) Age() time.Duration {
	if k.log.dialect == dialect.SQLite {
		return 0
	}
	return time.Since(time.Unix(0, k.last.Load()))
}

// Run ticks and sweeps until ctx ends. If the database is lost, it tries again. On a server of
// PostgreSQL that is read-only, as a standby is, it waits until that has changed.
func (k *Keeper) Run(ctx context.Context, log *slog.Logger) {
	if k == nil {
		return
	}
	var all sync.WaitGroup
	defer all.Wait()
	if k.log.dialect != dialect.SQLite { // where changes can be read at once
		all.Go(func() { k.repeat(ctx, tickPause, "ticked", k.tick, log) })
	}
	all.Go(func() { k.feed.Run(ctx, log) })
	all.Go(func() { k.repeat(ctx, sweepPause, "swept", k.sweep, log) })
}

func (k *Keeper) tick(ctx context.Context) error {
	err := k.log.Tick(ctx)
	if err == nil {
		k.last.Store(time.Now().UnixNano())
		k.feed.Look()
	}
	return err
}

func (k *Keeper) sweep(ctx context.Context) error {
	_, err := k.log.Sweep(ctx, k.keep, k.most)
	return err
}

// repeat calls do after each pause until ctx ends. It logs the beginning and the end of an outage.
func (k *Keeper) repeat(ctx context.Context, pause time.Duration, done string, do func(context.Context) error, log *slog.Logger) {
	backoff := retry.Backoff{First: pause, Max: max(pause, 5*time.Second), Jitter: 0.5}
	failures := 0
	for k.wait(ctx, backoff, pause, failures) {
		round, cancel := context.WithTimeout(ctx, roundTime)
		err := do(round)
		cancel()
		switch {
		case ctx.Err() != nil:
			return
		case err == nil && failures > 0:
			log.InfoContext(ctx, "the log of changes is "+done+" again")
		case err != nil && failures == 0 && !database.ReadOnly(err):
			log.WarnContext(ctx, "the log of changes is not "+done+", retrying", "error", database.RedactError(err))
		}
		if failures++; err == nil {
			failures = 0
		}
	}
}

// wait waits until the next round, and returns false if ctx ends first. A commit of this server
// makes a tick due, unless ticks fail at the moment.
func (k *Keeper) wait(ctx context.Context, backoff retry.Backoff, pause time.Duration, failures int) bool {
	if failures > 0 {
		return backoff.Wait(ctx, failures) == nil
	}
	wrote := k.wrote
	if pause != tickPause {
		wrote = nil
	}
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	case <-wrote:
		return (retry.Backoff{First: gatherTime}).Wait(ctx, 1) == nil
	}
}
