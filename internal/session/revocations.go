package session

import (
	"context"
	"errors"
	"log/slog"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"forge/ent"
	"forge/ent/user"
	"forge/internal/database"
	"forge/internal/entity"
	"forge/internal/unit"
	"forge/internal/viewer"
)

// Revocations knows whose tokens were ended lately, so that a token can be refused without a statement. It is safe for concurrent use. A nil one
// knows of none.
type Revocations struct {
	life  time.Duration // of tokens: what was ended before has expired by itself
	any   atomic.Int64  // how many there are
	users sync.Map      // uuid.UUID to *revoked
	seen  atomic.Pointer[seen]
	clock func() time.Time // of this machine
	limit time.Duration    // of one reading
}

// seen is what was read of the database last.
type seen struct {
	at     time.Time     // when the reading began, by this machine's clock
	offset time.Duration // how far the database's clock is ahead of this machine's
}

// revoked is when a user's tokens were ended.
type revoked struct {
	at   time.Time
	kept time.Time // until when it stays, whatever the database says: the commit may be on its way
}

const (
	// slack is how much longer than its life a token may be taken for valid, and a commit may take.
	slack = 2 * time.Minute
	// grace is how long what this process knows by itself stays without being found in the database.
	grace = 10 * time.Second
	// readTime is how long reading them may take: so much less than maxAge that there is time for another try.
	readTime = 3 * time.Second
	// maxAge is how old what was read may be for tokens to be judged by it.
	maxAge = 10 * time.Second
)

// errNotCurrent says that a token cannot be judged at present, though it may be good.
var errNotCurrent = errors.New("the server does not know at present which tokens have been ended, as the database does not answer; try again")

// NewRevocations returns an empty one for access tokens that live so long.
func NewRevocations(life time.Duration) *Revocations {
	return &Revocations{life: life, clock: time.Now, limit: readTime}
}

// ValidAfter returns the time before which no token of the user counts, zero if there is none. It returns an error as well if it has
// not heard of the database for 10 seconds: others may have ended the user's tokens since.
func (r *Revocations) ValidAfter(user uuid.UUID) (at time.Time, err error) {
	if r == nil {
		return at, nil
	}
	if r.Age() > maxAge {
		err = errNotCurrent
	}
	if r.any.Load() == 0 {
		return at, err
	}
	if found, ok := r.users.Load(user); ok {
		at = found.(*revoked).at
	}
	return at, err
}

// Age returns how old is what was read last: the time since that reading began. Before the first one it is longer than any.
func (r *Revocations) Age() time.Duration {
	if r == nil {
		return 0
	}
	last := r.seen.Load()
	if last == nil {
		return math.MaxInt64
	}
	return r.clock().Sub(last.at)
}

// Now returns the time by the database's clock, as far as it is known: the one that Forge's own tokens are issued by.
func (r *Revocations) Now() time.Time {
	now := r.clock()
	if last := r.seen.Load(); last != nil {
		return now.Add(last.offset)
	}
	return now
}

// Add ends a user's tokens in this process at once. Call it just before that is committed: should the commit fail, it is forgotten soon.
func (r *Revocations) Add(user uuid.UUID, at time.Time) {
	if r != nil {
		r.set(user, &revoked{at, time.Now().Add(grace)})
	}
}

func (r *Revocations) set(user uuid.UUID, to *revoked) {
	for {
		found, known := r.users.LoadOrStore(user, to)
		if !known {
			r.any.Add(1)
			return
		}
		before := found.(*revoked)
		if !before.at.Before(to.at) && time.Now().Before(before.kept) || before.at.Equal(to.at) || r.users.CompareAndSwap(user, before, to) {
			return
		}
	}
}

// Read brings it up to what the database says, or fails within 3 seconds, though the connection may be held for longer: one that is
// silent takes its time to end. An index finds the rows.
func (r *Revocations) Read(ctx context.Context, db *database.DB) error {
	ctx, cancel := context.WithTimeout(ctx, r.limit)
	defer cancel()
	start, now := time.Now(), &seen{at: r.clock()}
	var rows []*ent.User
	done := make(chan error, 1)
	go func() {
		found, err := r.stamped(ctx, db, now)
		rows = found
		done <- err
	}()
	select {
	case err := <-done:
		if err != nil {
			return err
		}
	case <-ctx.Done():
		return ctx.Err()
	}
	there := make(map[uuid.UUID]bool, len(rows))
	for _, u := range rows {
		there[u.ID] = true
		r.set(u.ID, &revoked{at: *u.TokensValidAfter})
	}
	r.users.Range(func(id, value any) bool {
		if !there[id.(uuid.UUID)] && value.(*revoked).kept.Before(start) && r.users.CompareAndDelete(id, value) {
			r.any.Add(-1)
		}
		return true
	})
	r.seen.Store(now)
	return nil
}

// stamped returns the users whose tokens were ended so lately that some of those may not have expired, also users who are deleted. It
// compares the clocks on the way.
func (r *Revocations) stamped(ctx context.Context, db *database.DB, now *seen) ([]*ent.User, error) {
	u := unit.New(db, unit.Single)
	defer u.Rollback()
	theirs, err := u.Now(ctx)
	if err != nil {
		return nil, err
	}
	after := r.clock()
	now.offset = theirs.Sub(after.Add(now.at.Sub(after) / 2)) // the database's answer is of about the middle
	return ent.UnitClient(u).User.Query().Where(user.TokensValidAfterGT(theirs.Add(-r.life-slack))).Select(user.FieldID, user.FieldTokensValidAfter).
		All(entity.WithDeleted(viewer.NewContext(ctx, viewer.System)))
}

// Watch reads what the database says again and again until ctx ends. An outage is logged once; what was known stays.
func (r *Revocations) Watch(ctx context.Context, db *database.DB, pause time.Duration, log *slog.Logger) {
	tick := time.NewTicker(pause)
	defer tick.Stop()
	out := false
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		err := r.Read(ctx, db)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil && !out:
			log.WarnContext(ctx, "revoked tokens cannot be read, retrying; after 10s without, requests with a token are refused", "error", database.RedactError(err))
		case err == nil && out:
			log.InfoContext(ctx, "revoked tokens can be read again")
		}
		out = err != nil
	}
}
