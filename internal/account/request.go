package account

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"forge/internal/apperr"
	"forge/internal/mail"
	"forge/internal/onetime"
	"forge/internal/unit"
)

// request puts a mail into the queue for somebody who is not signed in. The recipient is what they
// have typed. It is counted by what they have typed, and by their network, in that order, and does
// nothing that depends on an account.
func (s *Service) request(ctx context.Context, kind, recipient string) error {
	if err := s.offers(kind); err != nil {
		return err
	}
	if err := s.counted(ctx, "login", s.Accounts.LoginKey(recipient)); err != nil {
		return err
	}
	return s.Mails.Put(ctx, mail.Queued{Template: kind, Recipient: recipient, Language: s.Mails.Language(ctx)})
}

// counted counts a mail by what says to whom it goes, a "login" or an "account", and by the
// client's network. It returns RATE_LIMITED if there were too many. A login may be typed that is
// the ID of an account.
func (s *Service) counted(ctx context.Context, kind, to string) error {
	if err := tooMany(s.Wide.Count(ctx, "mails of a network", s.network(ctx))); err != nil {
		return err
	}
	return tooMany(s.Narrow.Count(ctx, "mails to", kind, to))
}

// tooMany returns an error of a Limiter with a message about mails.
func tooMany(err error) error {
	if f, ok := err.(*apperr.Error); ok && f.Code == apperr.CodeRateLimited {
		return &apperr.Error{Code: f.Code, Message: "too many mails were asked for; try again later", More: f.More}
	}
	return err
}

// RequestPasswordReset has a mail sent with a token for ResetPassword, if there is an account with
// the email. It says nothing about that.
func (s *Service) RequestPasswordReset(ctx context.Context, email string) error {
	return s.request(ctx, Reset, email)
}

// RequestSignInLink has a mail sent with a token for SignInWithLink, if there is an account with
// the login that has an email. It says nothing about that.
func (s *Service) RequestSignInLink(ctx context.Context, login string) error {
	return s.request(ctx, Link, login)
}

// RequestSignInCode has a mail sent with a code for SignInWithCode, if there is an account with the
// login that has an email. It says nothing about that.
func (s *Service) RequestSignInCode(ctx context.Context, login string) error {
	return s.request(ctx, Code, login)
}

// RequestEmailVerification has a mail sent to the viewer's email with a token for VerifyEmail. It
// does nothing if the email is proved already.
func (s *Service) RequestEmailVerification(ctx context.Context) error {
	if err := s.offers(Verify); err != nil {
		return err
	}
	me, err := s.signedIn(ctx)
	if err != nil {
		return err
	}
	if err := s.counted(ctx, "account", me.ID.String()); err != nil {
		return err
	}
	// The same operation may have changed the email.
	a, err := s.Accounts.Mailbox(system(ctx), me.ID)
	switch {
	case err != nil || a == nil:
		return err
	case a.Email == "":
		return apperr.Conflict("", "you have no email that could be confirmed")
	case !a.Verified.IsZero():
		return nil
	}
	return s.put(ctx, a, Verify, a.Email, nil)
}

// RequestEmailChange has a mail sent to another email that the viewer wants to have, and one to the
// present email if that is proved. Each has a token for ConfirmEmailChange. It says nothing about
// whether another account has the email. If the present one is not proved, it returns what Fresh
// does.
func (s *Service) RequestEmailChange(ctx context.Context, email string) error {
	if err := s.offers(Change); err != nil {
		return err
	}
	a, err := s.signedIn(ctx)
	if err != nil {
		return err
	}
	if err := s.counted(ctx, "account", a.ID.String()); err != nil {
		return err
	}
	if err := s.counted(ctx, "login", s.Accounts.LoginKey(email)); err != nil {
		return err
	}
	if a.Verified.IsZero() {
		if err := s.Fresh(ctx, "email"); err != nil {
			return err
		}
	}
	data := changing{Email: email, Change: uuid.NewString()}
	if !a.Verified.IsZero() {
		if err := s.put(ctx, a, changeOld, a.Email, data); err != nil {
			return err
		}
	}
	return s.put(ctx, a, changeNew, email, data)
}

// Fresh returns FORBIDDEN, for a field, if the viewer has not signed in lately and mails lead into
// accounts. Somebody with a token that was stolen could have these mails sent to an email of their
// own, unless the present one has to agree.
func (s *Service) Fresh(ctx context.Context, field string) error {
	if !slices.ContainsFunc([]string{Reset, Link, Code}, s.Offers) {
		return nil
	}
	return s.Sessions.Fresh(ctx, field)
}

// put puts a mail of an account into the queue.
func (s *Service) put(ctx context.Context, a *Account, template, recipient string, data any) error {
	return s.Mails.Put(ctx, s.mail(ctx, a, template, recipient, data))
}

func (s *Service) mail(ctx context.Context, a *Account, template, recipient string, data any) mail.Queued {
	return mail.Queued{Template: template, Account: a.ID, Recipient: recipient, Language: s.Mails.Language(ctx), Data: data}
}

// These are the changes that Notice tells of.
const (
	NewPassword = "password" // another password
	NewEmail    = "email"    // another email
	NewFactor   = "factor"   // another way to sign in
	Deletion    = "delete"   // the account will be deleted
)

// telling is kept with a mail that tells of a change.
type telling struct {
	What string
	Life time.Duration
}

// Notice has a mail sent to an account's email, if that is proved, which tells of a change. It does
// nothing if this server sends no mails, or if the queue of mails is full.
func (s *Service) Notice(ctx context.Context, account uuid.UUID, what string) error {
	if s == nil || s.Mails == nil {
		return nil
	}
	a, err := s.Accounts.Mailbox(system(ctx), account)
	if err != nil || a == nil {
		return err
	}
	return s.tell(ctx, a, telling{What: what})
}

// tell is Notice for an account that is known.
func (s *Service) tell(ctx context.Context, a *Account, data telling) error {
	if s.Mails == nil || a.Verified.IsZero() {
		return nil
	}
	return s.Mails.PutNotice(ctx, s.mail(ctx, a, changed, a.Email, data))
}

// EndTokens ends all tokens that were sent to an account's email. It is called when the email
// changes in another way than by ConfirmEmailChange.
func EndTokens(ctx context.Context, account uuid.UUID) error {
	return onetime.End(ctx, account, Verify, Reset, changeNew, changeOld, agreed, Link, Code)
}

func now(ctx context.Context) (time.Time, error) {
	at, err := unit.FromContext(ctx).Now(ctx)
	if err != nil {
		return at, fmt.Errorf("read the database's clock: %w", err)
	}
	return at.UTC(), nil
}
