package session

import (
	"context"
	"errors"
	"fmt"

	"forge/internal/apperr"
	"forge/internal/clientip"
	"forge/internal/telemetry"
)

// errSignIn is the error for everything that can be wrong, so that it does not reveal which logins
// exist.
var errSignIn = &apperr.Error{
	Code:    apperr.CodeUnauthenticated,
	Message: "the login or the password is wrong, or the user may not sign in",
}

// SignUp begins a session for a new account. The function create stores the account with the hash
// of its password. If create returns an error, SignUp returns that error.
func (s *Sessions) SignUp(
	ctx context.Context, password string, create func(ctx context.Context, hash string) (*Account, error),
) (*Tokens, error) {
	hash, err := s.passwords.Hash(ctx, password)
	if err != nil {
		return nil, err
	}
	a, err := create(system(ctx), hash)
	if err != nil {
		return nil, err
	}
	return s.begin(ctx, a, BySignUp, false)
}

// SignIn begins a session for the account of a login. Whatever is wrong, SignIn takes one look-up
// and one hash, and returns the same UNAUTHENTICATED, or RATE_LIMITED after too many failures. It
// takes longer only for an account whose hash has an outdated cost, until the next sign-in.
func (s *Sessions) SignIn(ctx context.Context, login, password string) (*Tokens, error) {
	// Those of a site share it for this login alone.
	key := about("sign in", s.accounts.LoginKey(login), clientip.Site(s.Client(ctx)).String())
	var a *Account
	err := s.guarded(ctx, key, func() (ok bool, err error) {
		a, err = look(ctx, s.db, func(ctx context.Context) (*Account, error) { return s.accounts.FindLogin(ctx, login) })
		if err != nil {
			return false, err
		}
		return s.verify(ctx, a, password)
	})
	switch {
	case errors.Is(err, errWrong):
		if a != nil {
			s.Failed(ctx, a.ID, ByPassword)
		}
		return nil, errSignIn
	case err != nil:
		return nil, recorded(ctx, err)
	}
	fresh := s.rehash(ctx, a, password)
	now, err := lock(ctx, s.accounts, a.ID)
	switch {
	case err != nil:
		return nil, err
	case now == nil || !now.Active || now.Hash != a.Hash:
		return nil, errSignIn // the account was changed after the password was verified
	}
	if err := s.renew(ctx, a, fresh); err != nil {
		return nil, err
	}
	return s.begin(ctx, now, ByPassword, true)
}

// verify reports whether the password is right and the account may sign in. It computes one hash in
// any case, even if a is nil.
func (s *Sessions) verify(ctx context.Context, a *Account, password string) (bool, error) {
	if a == nil || a.Hash == "" || !a.Active {
		return false, s.passwords.Pretend(ctx, password)
	}
	return s.passwords.Verify(ctx, password, a.Hash)
}

// rehash returns a new hash of the password if the account's hash does not have the current cost.
// Otherwise it returns "". It also returns "" if the hash cannot be made now, because the next
// sign-in tries again.
func (s *Sessions) rehash(ctx context.Context, a *Account, password string) string {
	if !s.passwords.Stale(a.Hash) {
		return ""
	}
	hash, _ := s.passwords.Hash(ctx, password)
	return hash
}

// renew stores a fresh hash of the account's password, unless fresh is "". It also calls the
// account's Renew.
func (s *Sessions) renew(ctx context.Context, a *Account, fresh string) error {
	if fresh != "" {
		if err := s.accounts.SetHash(system(ctx), a.ID, fresh); err != nil {
			return fmt.Errorf("replace a hash: %w", err)
		}
	}
	return a.Renew(system(ctx))
}

// recorded returns err unchanged. If err is RATE_LIMITED, it records in the request's telemetry
// that guessing was refused.
func recorded(ctx context.Context, err error) error {
	if f, ok := errors.AsType[*apperr.Error](err); ok && f.Code == apperr.CodeRateLimited {
		telemetry.FromContext(ctx).Refuse(telemetry.Guessing)
	}
	return err
}

var errWrong = errors.New("the password is wrong")

func (s *Sessions) guarded(ctx context.Context, key throttleKey, try func() (bool, error)) error {
	return guarded(ctx, s.throttle, key, try)
}

// guarded calls try, which reports whether a password is right. It returns errWrong if the password
// is wrong. After too many failures with this key, it returns RATE_LIMITED and does not call try.
func guarded(ctx context.Context, t *throttle, key throttleKey, try func() (bool, error)) error {
	a, err := t.begin(ctx, key)
	if err != nil {
		return err
	}
	end := a.undecided
	defer func() { end() }()
	ok, err := try()
	switch {
	case err != nil:
		return err
	case !ok:
		end = a.failed
		return errWrong
	}
	end = a.succeeded
	return nil
}
