package account

import (
	"context"
	"errors"

	"forge/internal/onetime"
	"forge/internal/unit"
)

// VerifyEmail uses a token of a mail to the viewer's email, which proves the email. It is only good
// for who is signed in to the account. Otherwise somebody could make an account with another's
// email, and have the other one prove it with a click.
func (s *Service) VerifyEmail(ctx context.Context, token string) error {
	a, _, err := s.takeOwn(ctx, Verify, Verify, token)
	if err != nil {
		return err
	}
	return s.verified(ctx, a)
}

// takeOwn is take for a token of the viewer's account.
func (s *Service) takeOwn(ctx context.Context, kind, purpose, token string) (*Account, mailed, error) {
	if err := s.offers(kind); err != nil {
		return nil, mailed{}, err
	}
	me, err := s.signedIn(ctx)
	if err != nil {
		return nil, mailed{}, err
	}
	a, of, err := s.take(ctx, purpose, token)
	if err == nil && a.ID != me.ID {
		err = errToken // the token is as good as before, because nothing is stored
	}
	return a, of, err
}

// ConfirmEmailChange uses a token of a mail about a change of the viewer's email. When the new
// email has confirmed it, and the present one if that is proved, the email is changed, and done is
// true. All tokens that were sent to the email before end. It returns CONFLICT if another account
// has the email.
func (s *Service) ConfirmEmailChange(ctx context.Context, token string) (done bool, err error) {
	if err := s.offers(Change); err != nil {
		return false, err
	}
	purpose := changeNew
	if errors.Is(s.good(ctx, changeNew, token), errToken) {
		purpose = changeOld
	}
	a, of, err := s.takeOwn(ctx, Change, purpose, token)
	if err != nil {
		return false, err
	}
	if !a.Verified.IsZero() {
		other := map[string]string{changeNew: changeOld, changeOld: changeNew}[purpose]
		if _, err := onetime.Find(ctx, agreed, of.Change+" "+other); errors.Is(err, onetime.ErrInvalid) {
			err = onetime.Put(ctx, agreed, of.Change+" "+purpose, a.ID, nil, lives[purpose])
			return false, err
		} else if err != nil {
			return false, err
		}
	}
	if err := s.tell(ctx, a, telling{What: NewEmail}); err != nil { // to the email before
		return false, err
	}
	if err := EndTokens(ctx, a.ID); err != nil {
		return false, err
	}
	at, err := now(ctx)
	if err != nil {
		return false, err
	}
	return true, s.Accounts.SetEmail(system(ctx), a.ID, of.Email, at)
}

// good returns errToken for a token that is not good, and counts it by network. It works in a unit
// of work of its own, so that no connection is held afterwards.
func (s *Service) good(ctx context.Context, purpose, token string) error {
	return wrongToken(s.Wide.Guard(ctx, func() (bool, error) {
		u := unit.New(s.DB, unit.Snapshot)
		defer u.Rollback()
		_, err := onetime.Find(unit.NewContext(ctx, u), purpose, token)
		if errors.Is(err, onetime.ErrInvalid) {
			return false, nil
		}
		return err == nil, err
	}, "tokens of mails", s.network(ctx)))
}

// ResetPassword uses a token of a mail, and sets another password, which has to be a good one. All
// sessions and tokens of the account end, also those of mails. The email is proved.
func (s *Service) ResetPassword(ctx context.Context, token, newPassword string) error {
	if err := s.offers(Reset); err != nil {
		return err
	}
	// A hash takes long, so it is not made for a token that is not good.
	if err := s.good(ctx, Reset, token); err != nil {
		return err
	}
	hash, err := s.Passwords.Hash(ctx, newPassword)
	if err != nil {
		return err
	}
	a, _, err := s.take(ctx, Reset, token)
	if err != nil {
		return err
	}
	if err := s.proved(ctx, a); err != nil {
		return err
	}
	if err := s.end(ctx, a, hash); err != nil {
		return err
	}
	return s.tell(ctx, a, telling{What: NewPassword})
}
