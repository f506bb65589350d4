package account

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"forge/internal/apperr"
	"forge/internal/onetime"
	"forge/internal/session"
)

// errSignIn is the error for everything that can be wrong with a link or a code to sign in.
var errSignIn = &apperr.Error{Code: apperr.CodeUnauthenticated, Message: "this is not good to sign in, or no longer: ask for another mail"}

// SignInWithLink uses a token of a mail, and begins a session. The email is proved; see proved.
func (s *Service) SignInWithLink(ctx context.Context, token string) (*session.Tokens, error) {
	if err := s.offers(Link); err != nil {
		return nil, err
	}
	a, _, err := s.take(ctx, Link, token)
	if errors.Is(err, errToken) {
		err = errSignIn
	}
	if err != nil {
		return nil, err
	}
	return s.begin(ctx, a, session.ByLink)
}

// begin begins a session for an account that has proved its email.
func (s *Service) begin(ctx context.Context, a *Account, method session.Method) (*session.Tokens, error) {
	if err := s.proved(ctx, a); err != nil {
		return nil, err
	}
	return s.Sessions.Begin(ctx, a.ID, method)
}

// SignInWithCode begins a session with a code of a mail. Each code can be tried 5 times. Wrong ones
// are also counted by login, by account and by network. Whatever is wrong, it computes one hash,
// and returns the same UNAUTHENTICATED, or RATE_LIMITED after too many failures with a login or
// from a network.
func (s *Service) SignInWithCode(ctx context.Context, login, code string) (*session.Tokens, error) {
	if err := s.offers(Code); err != nil {
		return nil, err
	}
	var a *Account
	var of given
	right := func() (ok bool, err error) {
		if a, of, err = s.try(ctx, login); err != nil {
			return false, err
		}
		return s.rightCode(ctx, login, a, of, code)
	}
	err := s.Wide.Guard(ctx, func() (bool, error) {
		err := s.Narrow.Guard(ctx, right, "codes", s.Accounts.LoginKey(login))
		if errors.Is(err, session.ErrWrong) {
			return false, nil
		}
		return false, cmp.Or(err, errRight)
	}, "codes of a network", s.network(ctx))
	if errors.Is(err, session.ErrWrong) {
		if a != nil && a.Email != "" { // there is such an account
			s.Sessions.Failed(ctx, a.ID, session.ByCode)
		}
		return nil, errSignIn
	}
	if !errors.Is(err, errRight) {
		return nil, err
	}
	return s.withCode(ctx, a, of)
}

// rightCode reports whether a code is the one of an account. It counts wrong ones by account, as an
// account has a username and an email to try them with. After too many it returns false, as for a
// wrong code: to refuse both logins would tell that they are of one account. Where there is no
// code, none can be guessed, so nothing is counted for the account.
func (s *Service) rightCode(ctx context.Context, login string, a *Account, of given, code string) (bool, error) {
	kind, counted := "codes of an account", a.ID.String()
	if of.Hash == "" {
		kind, counted = "codes that are not there", s.Accounts.LoginKey(login) // which may be the ID of an account
	}
	err := s.Narrow.Guard(ctx, func() (bool, error) {
		if of.Hash == "" {
			return false, s.Passwords.Pretend(ctx, code)
		}
		return s.Passwords.Verify(ctx, code, of.Hash)
	}, kind, counted)
	if f, ok := errors.AsType[*apperr.Error](err); ok && f.Code == apperr.CodeRateLimited {
		return false, s.Passwords.Pretend(ctx, code)
	}
	if errors.Is(err, session.ErrWrong) {
		return false, nil
	}
	return err == nil, err
}

// errRight ends an attempt whose code was right, and keeps what is counted for the network: who has
// an account could have the failures with other accounts be forgotten.
var errRight = errors.New("the code is right")

// withCode ends the code that was right, and begins a session, unless another request has ended the
// code meanwhile.
func (s *Service) withCode(ctx context.Context, a *Account, of given) (*session.Tokens, error) {
	if _, err := s.Accounts.Lock(system(ctx), a.ID); err != nil {
		return nil, fmt.Errorf("lock an account: %w", err)
	}
	kept, err := onetime.Use(ctx, Code, codeOf(a))
	if errors.Is(err, onetime.ErrInvalid) {
		return nil, errSignIn
	}
	var still given
	if err == nil {
		err = kept.Data(&still)
	}
	if err != nil {
		return nil, err
	}
	fresh, err := s.Accounts.Mailbox(system(ctx), a.ID)
	if err != nil {
		return nil, err
	}
	if still.Hash != of.Hash || fresh == nil || !fresh.Active || fresh.EmailKey != of.Key {
		return nil, errSignIn
	}
	return s.begin(ctx, fresh, session.ByCode)
}

// codeOf returns what the code of an account is kept under. It is no secret: what is kept there is
// good for nothing without the code.
func codeOf(a *Account) string { return "the code of " + a.ID.String() }

// try takes one of the tries that a code has left, for good: in a unit of work of its own. If there
// is no code, the Hash is "". It runs the same statements then, so that the time that they take
// tells nobody which logins exist.
func (s *Service) try(ctx context.Context, login string) (a *Account, of given, err error) {
	err = s.alone(ctx, func(ctx context.Context) error {
		found, err := s.Accounts.FindLogin(ctx, login)
		if err != nil {
			return err
		}
		id := uuid.New()
		if found != nil {
			id = found.ID
		}
		if _, err := s.Accounts.Lock(ctx, id); err != nil {
			return err
		}
		if a, err = s.Accounts.Mailbox(ctx, id); err != nil {
			return err
		}
		if a == nil {
			a = &Account{Account: session.Account{ID: id}}
		}
		return s.takeTry(ctx, a, &of)
	})
	return a, of, err
}

func (s *Service) takeTry(ctx context.Context, a *Account, of *given) error {
	at, err := now(ctx)
	if err != nil {
		return err
	}
	kept, err := onetime.Use(ctx, Code, codeOf(a))
	if err == nil {
		err = kept.Data(of)
	}
	if err != nil && !errors.Is(err, onetime.ErrInvalid) {
		return err
	}
	if of.Tries--; of.Tries < 0 || !a.Active {
		*of = given{Until: at.UnixMicro()} // what is kept ends at once
	}
	return s.keepCode(ctx, a, *of, time.UnixMicro(of.Until).Sub(at))
}

// keepCode keeps the code of an account for a time, instead of the one before.
func (s *Service) keepCode(ctx context.Context, a *Account, of given, life time.Duration) error {
	if err := onetime.End(ctx, a.ID, Code); err != nil {
		return err
	}
	return onetime.Put(ctx, Code, codeOf(a), a.ID, of, life)
}
