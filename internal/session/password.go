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

// errEnded is what a token is refused with that was good once.
var errEnded = &apperr.Error{Code: apperr.CodeUnauthenticated, Message: "this token is not good any more: sign in again"}

// ChangePassword gives the viewer another password, and ends all of their sessions and tokens, as of the time that it returns. A wrong old password is
// BAD_USER_INPUT, as the token is good: a client would take UNAUTHENTICATED for the sign to refresh it. After some of these the error is RATE_LIMITED.
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
		if len(found) == 0 || !found[0].IsActive || found[0].TokensValidAfter != nil && v.Issued.Before(*found[0].TokensValidAfter) {
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
		return id, at, noted(ctx, err)
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

// Check returns UNAUTHENTICATED if the user whose token it is has been deleted or is not active, or if the token was ended: also by another
// process, a moment ago. It is one statement, in a unit of work of its own.
func Check(ctx context.Context, db *database.DB, v viewer.Viewer) error {
	u := unit.New(db, unit.Single)
	defer u.Rollback()
	good, err := ent.UnitClient(u).User.Query().
		Where(user.ID(v.ID), user.IsActive(true), user.Or(user.TokensValidAfterIsNil(), user.TokensValidAfterLTE(v.Issued))).Exist(system(ctx))
	if err != nil {
		return fmt.Errorf("check a token: %w", err)
	}
	if !good {
		return errEnded
	}
	return nil
}
