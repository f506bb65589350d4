package session

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"forge/ent"
	entsession "forge/ent/session"
	"forge/internal/fault"
	"forge/internal/unit"
)

var errRefresh = &fault.Error{Code: fault.Unauthenticated, Message: "this refresh token is not good, or no longer: sign in again"}

// ReplayError says that a refresh token came back after it was used. To whoever sent it it looks like any other that is not good.
type ReplayError struct{ user, family uuid.UUID }

func (*ReplayError) Error() string { return "a used refresh token came back" }

// Unwrap returns what the sender is told.
func (*ReplayError) Unwrap() error { return errRefresh }

// End ends the family that the token belongs to. The unit of work in which it came back has failed, so this takes another one.
func (e *ReplayError) End(ctx context.Context, db *ent.Client) error {
	return endFamily(ctx, db, e.user, e.family)
}

// Refresh exchanges a refresh token for the next one and an access token. The error is UNAUTHENTICATED if it is not good any more; if that is because it was
// used before, it is a *ReplayError, whose End the caller has to call.
func (s *Sessions) Refresh(ctx context.Context, token string) (*Tokens, error) {
	db := unit.Client(ctx)
	known, err := find(ctx, db, token)
	if known == nil || err != nil {
		return nil, orRefused(err)
	}
	u, err := lock(ctx, db, known.UserID)
	if err != nil {
		if ent.IsNotFound(err) {
			return nil, errRefresh
		}
		return nil, fmt.Errorf("lock a user: %w", err)
	}
	now, err := unit.FromContext(ctx).Now(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the database's clock: %w", err)
	}
	ended := u.TokensValidAfter != nil && known.CreatedAt.Before(*u.TokensValidAfter)
	if ended || !u.IsActive || u.DeletedAt != nil || !now.Before(known.ExpiresAt) {
		return nil, errRefresh
	}
	n, err := db.Session.Update().Where(entsession.ID(known.ID), entsession.UsedAtIsNil()).SetUsedAt(now).Save(system(ctx))
	switch {
	case err != nil:
		return nil, fmt.Errorf("use a refresh token: %w", err)
	case n == 0: // it was used, or its family was ended, if not before then at this moment
		return nil, &ReplayError{known.UserID, known.Family}
	}
	return s.grant(ctx, u, known.Family)
}

// SignOut ends the family of a refresh token, also of one that was used. It returns false if there is none.
func (s *Sessions) SignOut(ctx context.Context, token string) (bool, error) {
	db := unit.Client(ctx)
	known, err := find(ctx, db, token)
	if known == nil || err != nil {
		return false, err
	}
	return true, endFamily(ctx, db, known.UserID, known.Family)
}

// find returns the session of a token, or nil.
func find(ctx context.Context, db *ent.Client, token string) (*ent.Session, error) {
	found, err := db.Session.Query().Where(entsession.TokenHash(hashed(token))).Only(system(ctx))
	if ent.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("look for a session: %w", err)
	}
	return found, nil
}

// endFamily removes a family. A token of it that is being made is there once the user's row is locked, and is removed as well.
func endFamily(ctx context.Context, db *ent.Client, user, family uuid.UUID) error {
	if _, err := lock(ctx, db, user); err != nil && !ent.IsNotFound(err) {
		return fmt.Errorf("lock a user: %w", err)
	}
	if _, err := db.Session.Delete().Where(entsession.Family(family)).Exec(system(ctx)); err != nil {
		return fmt.Errorf("end a session: %w", err)
	}
	return nil
}

func orRefused(err error) error {
	if err == nil {
		return errRefresh
	}
	return err
}
