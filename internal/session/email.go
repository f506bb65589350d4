package session

import (
	"context"
	"errors"

	"github.com/google/uuid"

	"forge/internal/apperr"
)

// ChangeEmail counts a change of an account's email. It returns RATE_LIMITED after too many of
// them. The answer to a change reveals whether an email is taken, so changes are limited in the
// same way as failures to sign in.
func (s *Sessions) ChangeEmail(ctx context.Context, account uuid.UUID) error {
	a, err := s.throttle.begin(ctx, about("email", account.String()))
	if err != nil {
		if f, ok := errors.AsType[*apperr.Error](err); ok {
			f.Message = "the email was changed too often in a row; try again later"
		}
		return recorded(ctx, err)
	}
	a.failed()
	return nil
}
