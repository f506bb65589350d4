package session

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"forge/ent"
	entsession "forge/ent/session"
	"forge/internal/apperr"
	"forge/internal/clientip"
	"forge/internal/unit"
	"forge/internal/viewer"
)

// Lately is how long ago a session may have begun that RecentlyBegun accepts.
const Lately = 10 * time.Minute

// Viewer locks the account of the viewer until the unit of work ends, and returns it. The error is
// UNAUTHENTICATED if the viewer has no account, if the account may not sign in, or if the token or
// its session was ended. It is FORBIDDEN if only a provider knows the viewer.
func (s *Sessions) Viewer(ctx context.Context) (*Account, error) {
	v := viewer.FromContext(ctx)
	switch {
	case v.ID == uuid.Nil:
		return nil, apperr.Unauthenticated()
	case v.Stranger:
		return nil, apperr.Forbidden("", "your token is a provider's, and how you prove who you are is set there")
	}
	a, err := lock(ctx, s.accounts, v.ID)
	if err != nil {
		return nil, err
	}
	if !a.accepts(v.Issued) {
		return nil, errEnded
	}
	return a, Holds(ctx, v)
}

// RecentlyBegun reports whether the viewer has signed in within the time Lately. To refresh tokens
// is not to sign in. It returns false for tokens of a provider, and if the session has ended.
func (s *Sessions) RecentlyBegun(ctx context.Context) (bool, error) {
	v := viewer.FromContext(ctx)
	now, err := unit.FromContext(ctx).Now(ctx)
	if err != nil {
		return false, fmt.Errorf("read the database's clock: %w", err)
	}
	db := ent.FromUnit(ctx).Session.Query().Where(entsession.UserID(v.ID))
	// An access token has the time of its refresh token, to the microsecond.
	of, err := db.Clone().Where(entsession.CreatedAtGTE(v.Issued), entsession.CreatedAtLT(v.Issued.Add(time.Microsecond))).
		First(system(ctx))
	if ent.IsNotFound(err) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("look for the session of a token: %w", err)
	}
	began := of.BeganAt
	if began == nil { // an earlier version began it
		first, err := db.Where(entsession.Family(of.Family)).Order(ent.Asc(entsession.FieldCreatedAt)).First(system(ctx))
		if err != nil {
			return false, fmt.Errorf("look for the beginning of a session: %w", err)
		}
		began = &first.CreatedAt
	}
	return now.Sub(*began) < Lately, nil
}

// Fresh returns FORBIDDEN, for a field, unless RecentlyBegun.
func (s *Sessions) Fresh(ctx context.Context, field string) error {
	lately, err := s.RecentlyBegun(ctx)
	if err == nil && !lately {
		err = apperr.Forbidden(field, "sign in again first: this is for sessions that began in the last %d minutes", Lately/time.Minute)
	}
	return err
}

// Complete begins a session for an account that has proved all that was due, by method first. The
// caller has locked the account. Complete returns an UNAUTHENTICATED if the account may not sign
// in.
func (s *Sessions) Complete(ctx context.Context, a *Account, method Method) (*Tokens, error) {
	if a == nil || !a.Active {
		return nil, errRefused
	}
	return s.begin(ctx, a, method, false)
}

// Guard calls try, which reports whether what a client has sent proves something. If it does not,
// Guard returns wrong, and counts a failure of what the key names. After too many failures, it
// returns RATE_LIMITED and does not call try. The count stays if the unit of work is rolled back.
func (s *Sessions) Guard(ctx context.Context, wrong error, try func() (bool, error), key ...string) error {
	err := (&Limiter{s.throttle}).Guard(ctx, try, key...)
	if errors.Is(err, ErrWrong) {
		return wrong
	}
	return err
}

// Ask counts that somebody asks for what everybody may ask for. It returns RATE_LIMITED if as much
// was asked for from the client's network as freeAsked allows.
func (s *Sessions) Ask(ctx context.Context, what string) error {
	return s.asked.Count(ctx, what, clientip.Site(s.Client(ctx)).String())
}
