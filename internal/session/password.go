package session

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"forge/ent"
	"forge/ent/user"
	"forge/internal/apperr"
	"forge/internal/database"
	"forge/internal/unit"
	"forge/internal/viewer"
)

// errEnded refuses a token that was valid once.
var errEnded = &apperr.Error{Code: apperr.CodeUnauthenticated, Message: "this token is not good any more: sign in again"}

// ChangePassword changes the viewer's password from before to after. It ends all of their sessions
// and tokens, and returns the time as of which they are ended. A wrong old password is
// BAD_USER_INPUT, because the token is valid: on UNAUTHENTICATED a client would refresh it. After
// too many wrong passwords the error is RATE_LIMITED.
func (s *Sessions) ChangePassword(ctx context.Context, before, after string) (id uuid.UUID, at time.Time, err error) {
	v := viewer.FromContext(ctx)
	if v.ID == uuid.Nil {
		return id, at, apperr.Unauthenticated()
	}
	var old string
	err = s.guarded(about("change password", v.ID.String()), func() (bool, error) {
		found, err := s.look(ctx, user.ID(v.ID))
		if err != nil {
			return false, err
		}
		if len(found) == 0 || !found[0].IsActive ||
			found[0].TokensValidAfter != nil && v.Issued.Before(*found[0].TokensValidAfter) {
			return false, errEnded
		}
		if found[0].HashedPassword != nil {
			old = *found[0].HashedPassword
		}
		return s.verify(ctx, found[0], before)
	})
	if errors.Is(err, errWrong) {
		err = apperr.BadInput("input.oldPassword", "oldPassword is not the user's password")
	}
	if err != nil {
		return id, at, recorded(ctx, err)
	}
	hash, err := s.passwords.Hash(ctx, after)
	if err != nil {
		return id, at, err
	}
	db := ent.FromUnit(ctx)
	if at, err = Stamp(ctx, v.ID); err != nil {
		return id, at, err
	}
	n, err := db.User.Update().Where(user.ID(v.ID), user.IsActive(true), user.HashedPassword(old)).
		SetHashedPassword(hash).SetTokensValidAfter(at).Save(system(ctx))
	switch {
	case err != nil:
		return id, at, fmt.Errorf("change a password: %w", err)
	case n == 0:
		return id, at, errEnded // changed since it was verified
	}
	return v.ID, at, End(ctx, db, v.ID)
}

// Check returns UNAUTHENTICATED if the viewer's user is deleted or not active, or if the viewer's
// token was ended. It asks the database, so it knows of what another process has just committed. It
// is one statement, in a unit of work of its own.
func Check(ctx context.Context, db *database.DB, v viewer.Viewer) error {
	u := unit.New(db, unit.Single)
	defer u.Rollback()
	good, err := ent.UnitClient(u).User.Query().
		Where(user.ID(v.ID), user.IsActive(true),
			user.Or(user.TokensValidAfterIsNil(), user.TokensValidAfterLTE(v.Issued))).
		Exist(system(ctx))
	if err != nil {
		return fmt.Errorf("check a token: %w", err)
	}
	if !good {
		return errEnded
	}
	return nil
}
