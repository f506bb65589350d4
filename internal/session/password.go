package session

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"forge/internal/apperr"
	"forge/internal/database"
	"forge/internal/viewer"
)

// errEnded is the error for a token that was valid and has been ended.
var errEnded = &apperr.Error{Code: apperr.CodeUnauthenticated, Message: "this token is not good any more: sign in again"}

// ChangePassword changes the viewer's password from before to after. It ends all sessions and
// tokens of the viewer, and returns the time as of which they are ended. If the old password is
// wrong, the error is BAD_USER_INPUT and not UNAUTHENTICATED: the token is valid, and clients would
// try to refresh it. After too many wrong passwords the error is RATE_LIMITED.
func (s *Sessions) ChangePassword(ctx context.Context, before, after string) (id uuid.UUID, at time.Time, err error) {
	v := viewer.FromContext(ctx)
	if v.ID == uuid.Nil {
		return id, at, apperr.Unauthenticated()
	}
	var old string
	err = s.guarded(ctx, about("change password", v.ID.String()), func() (bool, error) {
		a, err := find(ctx, s.db, s.accounts, v.ID)
		if err != nil {
			return false, err
		}
		if !a.accepts(v.Issued) {
			return false, errEnded
		}
		old = a.Hash
		return s.verify(ctx, a, before)
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
	if err := Holds(ctx, v); err != nil {
		return id, at, err
	}
	if at, err = Stamp(ctx, s.accounts, v.ID); err != nil {
		return id, at, err
	}
	changed, err := s.accounts.ChangePassword(system(ctx), v.ID, old, hash, at)
	switch {
	case err != nil:
		return id, at, fmt.Errorf("change a password: %w", err)
	case !changed:
		return id, at, errEnded // the password was changed after it was verified
	}
	return v.ID, at, End(ctx, v.ID)
}

// Check returns UNAUTHENTICATED if the viewer's account may not sign in, or if the viewer's token
// was ended. It asks the database, so it also knows what another process has just committed. It
// runs one statement, in a unit of work apart.
func Check(ctx context.Context, db *database.DB, accounts Accounts, v viewer.Viewer) error {
	a, err := find(ctx, db, accounts, v.ID)
	if err != nil {
		return fmt.Errorf("check a token: %w", err)
	}
	if !a.accepts(v.Issued) {
		return errEnded
	}
	return nil
}
