package session

import (
	"context"
	"log/slog"
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
)

// NewRevocations returns an empty one for access tokens that live so long.
func NewRevocations(life time.Duration) *Revocations { return &Revocations{life: life} }

// Revoked reports whether a user's token that was issued then is ended.
func (r *Revocations) Revoked(user uuid.UUID, issued time.Time) bool {
	if r == nil || r.any.Load() == 0 {
		return false
	}
	found, ok := r.users.Load(user)
	return ok && issued.Before(found.(*revoked).at)
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

// Read brings it up to what the database says. An index finds the rows.
func (r *Revocations) Read(ctx context.Context, db *database.DB) error {
	start := time.Now()
	rows, err := stamped(ctx, db, start.Add(-r.life-slack))
	if err != nil {
		return err
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
	return nil
}

// stamped returns the users whose tokens were ended since then, also those who are deleted.
func stamped(ctx context.Context, db *database.DB, since time.Time) ([]*ent.User, error) {
	u := unit.New(db, unit.Single)
	defer u.Rollback()
	return u.Client().User.Query().Where(user.TokensValidAfterGT(since)).Select(user.FieldID, user.FieldTokensValidAfter).
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
			log.WarnContext(ctx, "which tokens others have ended cannot be read; it is tried on and on", "error", database.Told(err))
		case err == nil && out:
			log.InfoContext(ctx, "which tokens others have ended can be read again")
		}
		out = err != nil
	}
}
