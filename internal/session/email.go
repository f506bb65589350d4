package session

import (
	"context"
	"errors"

	"github.com/google/uuid"

	"forge/internal/apperr"
)

// ChangeEmail counts that a user changes their email, and refuses with RATE_LIMITED what is too often, as failures to sign in are counted: whether an email is taken tells who is here.
func (s *Sessions) ChangeEmail(ctx context.Context, user uuid.UUID) error {
	a, err := s.throttle.enter(about("email", user.String()))
	if err != nil {
		if f, ok := errors.AsType[*apperr.Error](err); ok {
			f.Message = "the email was changed too often in a row; try again later"
		}
		return noted(ctx, err)
	}
	a.failed()
	return nil
}
