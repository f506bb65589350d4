package session

import (
	"context"
	"errors"
	"strings"

	"github.com/google/uuid"

	"forge/internal/apperr"
	"forge/internal/email"
)

// ChangeEmail counts a change of an account's email to an address, unless it has that email. It
// returns RATE_LIMITED after too many changes. The answer to a change reveals whether an email is
// taken, so changes are limited in the same way as failures to sign in. It is called before the
// operation has a database connection.
func (s *Sessions) ChangeEmail(ctx context.Context, account uuid.UUID, address string) error {
	before, err := find(ctx, s.db, s.accounts, account)
	if err != nil || before == nil {
		return err
	}
	if email.Same(strings.TrimSpace(address), before.Email) {
		return nil
	}
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
