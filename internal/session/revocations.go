package session

import (
	"context"
	"errors"
	"log/slog"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"entgo.io/ent/dialect"
	"github.com/google/uuid"

	"forge/internal/database"
	"forge/internal/unit"
)

// Revocations holds the accounts whose tokens were ended recently, so that a token can be refused
// without a statement. It is safe for concurrent use. A nil *Revocations is empty.
type Revocations struct {
	// Standbys returns databases that have, taken together, all that any server has acknowledged,
	// also while there is no primary. It returns an error if nobody knows. It is set before Watch
	// is called, or nil.
	Standbys func(context.Context) ([]*database.DB, error)

	accounts Accounts
	life     time.Duration // the lifetime of access tokens; older revocations no longer matter
	count    atomic.Int64  // the number of accounts
	known    sync.Map      // uuid.UUID to *revoked
	last     atomic.Pointer[reading]
	clock    func() time.Time // this machine's clock
	limit    time.Duration    // the time limit of one read

	added    atomic.Bool   // something was added that other servers were not told of
	announce chan struct{} // has a value when other servers are to be told
	wake     chan struct{} // has a value when another server has ended tokens
}

// Channel is the channel of PostgreSQL on which servers tell that they have ended tokens.
const Channel = "forge_revoked"

// reading describes the last successful read of the database.
type reading struct {
	at     time.Time     // when it began, by this machine's clock
	offset time.Duration // how far the database's clock is ahead of this machine's
}

// revoked says when an account's tokens were ended.
type revoked struct {
	at time.Time
	// keepUntil is the time until which the entry stays even if the database does not have it: the
	// commit may not be done yet.
	keepUntil time.Time
}

const (
	// slack is added to the lifetime of tokens. It covers the tolerance for clocks when tokens
	// expire, and the time of a commit.
	slack = 2 * time.Minute
	// grace is how long an entry of Add stays without being found in the database.
	grace = 10 * time.Second
	// readTime is the time limit of one read. It is shorter than maxAge, so that there is time for
	// another read.
	readTime = 3 * time.Second
	// maxAge is how old the last read may be. After that time, tokens are not accepted.
	maxAge = 10 * time.Second
)

// errNotCurrent says that the server does not know at present whether a token is valid.
var errNotCurrent = errors.New("the server does not know at present which tokens have been ended, " +
	"as the database does not answer; try again")

// NewRevocations returns empty Revocations for accounts whose access tokens have the given
// lifetime.
func NewRevocations(accounts Accounts, life time.Duration) *Revocations {
	return &Revocations{accounts: accounts, life: life, clock: time.Now, limit: readTime, announce: make(chan struct{}, 1), wake: make(chan struct{}, 1)}
}

// ValidAfter returns the time before which the account's tokens were ended. It is zero if they were
// not. ValidAfter also returns an error if the last successful read is more than 10 seconds old,
// because another server may have ended the account's tokens since.
func (r *Revocations) ValidAfter(account uuid.UUID) (at time.Time, err error) {
	if r == nil {
		return at, nil
	}
	if r.Age() > maxAge {
		err = errNotCurrent
	}
	if r.count.Load() == 0 {
		return at, err
	}
	if found, ok := r.known.Load(account); ok {
		at = found.(*revoked).at
	}
	return at, err
}

// Age returns the time since the last successful read began. Before the first read, it is the
// longest possible duration.
func (r *Revocations) Age() time.Duration {
	if r == nil {
		return 0
	}
	last := r.last.Load()
	if last == nil {
		return math.MaxInt64
	}
	return r.clock().Sub(last.at)
}

// Now returns an estimate of the time on the database's clock, by which Forge's own tokens are
// issued. Before the first read, it is this machine's time.
func (r *Revocations) Now() time.Time {
	now := r.clock()
	if last := r.last.Load(); last != nil {
		return now.Add(last.offset)
	}
	return now
}

// Add ends an account's tokens in this process at once. It is called just before the commit that
// ends them in the database. If the commit fails, the entry is removed after some seconds.
func (r *Revocations) Add(account uuid.UUID, at time.Time) {
	if r != nil {
		r.set(account, &revoked{at, time.Now().Add(grace)})
		r.added.Store(true)
	}
}

// Wrote is called after a commit of this server. If it has ended tokens, Announce tells the other
// servers.
func (r *Revocations) Wrote() {
	if r != nil && r.added.Load() && r.added.Swap(false) {
		signal(r.announce)
	}
}

// Look has Watch read the revocations at once.
func (r *Revocations) Look() { signal(r.wake) }

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// Announce tells the other servers of PostgreSQL whenever this one has ended tokens, until ctx
// ends. If that fails, they find out by reading.
func (r *Revocations) Announce(ctx context.Context, db *database.DB) {
	for db.Dialect == dialect.Postgres {
		select {
		case <-ctx.Done():
			return
		case <-r.announce:
		}
		within, cancel := context.WithTimeout(ctx, r.limit)
		_, _ = db.ExecContext(within, "SELECT pg_notify($1, '')", Channel)
		cancel()
	}
}

func (r *Revocations) set(account uuid.UUID, to *revoked) {
	for {
		found, loaded := r.known.LoadOrStore(account, to)
		if !loaded {
			r.count.Add(1)
			return
		}
		before := found.(*revoked)
		stays := !before.at.Before(to.at) && time.Now().Before(before.keepUntil)
		if stays || before.at.Equal(to.at) || r.known.CompareAndSwap(account, before, to) {
			return
		}
	}
}

// Read reads the revocations from the database. It returns an error after 3 seconds, even if the
// connection is silent and stays occupied for longer. An index finds the rows.
func (r *Revocations) Read(ctx context.Context, db *database.DB) error {
	start, now := time.Now(), &reading{at: r.clock()}
	found, err := r.within(ctx, func(ctx context.Context) (map[uuid.UUID]time.Time, error) {
		return r.stamped(ctx, db, now)
	})
	if err != nil {
		return err
	}
	for id, at := range found {
		r.set(id, &revoked{at: at})
	}
	r.known.Range(func(id, value any) bool {
		_, stays := found[id.(uuid.UUID)]
		if !stays && value.(*revoked).keepUntil.Before(start) && r.known.CompareAndDelete(id, value) {
			r.count.Add(-1)
		}
		return true
	})
	r.last.Store(now)
	return nil
}

// readStandbys is Read while the primary does not answer. What is known from it stays, and so does
// its clock.
func (r *Revocations) readStandbys(ctx context.Context) error {
	last := r.last.Load()
	if r.Standbys == nil || last == nil {
		return errNotCurrent
	}
	now := &reading{at: r.clock(), offset: last.offset}
	found, err := r.within(ctx, func(ctx context.Context) (map[uuid.UUID]time.Time, error) {
		all := map[uuid.UUID]time.Time{}
		standbys, err := r.Standbys(ctx)
		for i := 0; i < len(standbys) && err == nil; i++ {
			var stamps map[uuid.UUID]time.Time
			stamps, err = r.stamped(ctx, standbys[i], &reading{at: now.at})
			for id, at := range stamps {
				if at.After(all[id]) {
					all[id] = at
				}
			}
		}
		return all, err
	})
	if err != nil {
		return err
	}
	for id, at := range found {
		if before, ok := r.known.Load(id); !ok || before.(*revoked).at.Before(at) {
			r.set(id, &revoked{at: at})
		}
	}
	r.last.Store(now)
	return nil
}

// within returns what read returns, or an error when the time for reading is over.
func (r *Revocations) within(ctx context.Context, read func(context.Context) (map[uuid.UUID]time.Time, error)) (map[uuid.UUID]time.Time, error) {
	ctx, cancel := context.WithTimeout(ctx, r.limit)
	defer cancel()
	type result struct {
		found map[uuid.UUID]time.Time
		err   error
	}
	done := make(chan result, 1)
	go func() {
		found, err := read(ctx)
		done <- result{found, err}
	}()
	select {
	case got := <-done:
		return got.found, got.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// stamped returns the accounts whose tokens were ended so recently that some of these tokens may
// not have expired yet. Deleted accounts are among them. The values are the times at which the
// tokens were ended. stamped sets now.offset.
func (r *Revocations) stamped(ctx context.Context, db *database.DB, now *reading) (map[uuid.UUID]time.Time, error) {
	u := unit.New(db, unit.Single)
	defer u.Rollback()
	theirs, err := u.Now(ctx)
	if err != nil {
		return nil, err
	}
	after := r.clock()
	now.offset = theirs.Sub(after.Add(now.at.Sub(after) / 2)) // the clock was read about halfway
	return r.accounts.Stamped(system(unit.NewContext(ctx, u)), theirs.Add(-r.life-slack))
}

// Watch calls Read at every pause, and after Look, until ctx ends. Where that fails, it asks
// Standbys. It logs the beginning and the end of an outage of all. During an outage the entries
// stay.
func (r *Revocations) Watch(ctx context.Context, db *database.DB, pause time.Duration, log *slog.Logger) {
	tick := time.NewTicker(pause)
	defer tick.Stop()
	out := false
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-r.wake:
		}
		err := r.Read(ctx, db)
		if err != nil && r.readStandbys(ctx) == nil {
			err = nil
		}
		switch {
		case ctx.Err() != nil:
			return
		case err != nil && !out:
			log.WarnContext(ctx, "revoked tokens cannot be read, retrying; "+
				"after 10s without, requests with a token are refused", "error", database.RedactError(err))
		case err == nil && out:
			log.InfoContext(ctx, "revoked tokens can be read again")
		}
		out = err != nil
	}
}
