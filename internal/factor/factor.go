// Package factor has people prove who they are by more than a password: by the codes of an
// authenticator app (TOTP, RFC 6238), by recovery codes, and by passkeys (WebAuthn).
//
// A code is a second factor: it is due after every other proof but a passkey. A passkey replaces
// the password and the second factor, because its device has verified the person. See
// docs/adr/0027-second-factors.md.
//
// Code that checks or changes the factors of an account first locks the account, so that no code is
// used twice.
package factor

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"

	"forge/ent"
	"forge/ent/credential"
	"forge/internal/apperr"
	"forge/internal/database"
	"forge/internal/onetime"
	"forge/internal/session"
	"forge/internal/unit"
	"forge/internal/viewer"
)

// These are the kinds of credentials that this package stores.
const (
	kindTOTP     = "totp"     // the key is the account
	kindRecovery = "recovery" // the key is a hash of the code
	kindPasskey  = "passkey"  // the key is a hash of the passkey's ID
)

// These are the purposes of the tokens that this package makes.
const (
	dueToken        = "second factor"
	registerPasskey = "register a passkey"
	useChallenge    = "sign in with a passkey"
)

// tokenLife is how long these tokens are good.
const tokenLife = 5 * time.Minute

// Options are the settings of factors.
type Options struct {
	TOTP     bool   // whether users may set up an app
	Issuer   string // the name of the application, which apps and devices show
	Passkeys bool   // whether passkeys may be made and used
	RPID     string // the domain that passkeys belong to
	// Origins are those of the pages that may use passkeys. If there is none, any page of RPID may,
	// whatever its port: that is for localhost.
	Origins []string
	Keys    [][]byte // seal secrets; see token.Options.FactorKeys
	Log     *slog.Logger
}

// Factors checks and changes the factors of accounts. It is safe for concurrent use. Its methods
// work in the unit of work of their context.
type Factors struct {
	db       *database.DB
	accounts session.Accounts
	sessions *session.Sessions
	vault    vault
	Options
}

var _ session.SecondFactors = (*Factors)(nil)

// New returns the factors of accounts on db, and has sessions ask for them.
func New(db *database.DB, accounts session.Accounts, sessions *session.Sessions, o Options) *Factors {
	f := &Factors{db, accounts, sessions, newVault(o.Keys), o}
	sessions.Second = f
	return f
}

// pending is what a token of a second factor stands for.
type pending struct {
	Method     session.Method
	ValidAfter time.Time // of the account when the token was made
	Tries      int       // how many codes were tried
}

// mostTries is how many codes may be tried with a token.
const mostTries = 5

// Due returns what an account with an authenticator app has to prove after method, and nil for
// other accounts. It does so even if the setting TOTP is off: a setting does not take away what
// protects an account. Nothing else is due after a passkey. The caller has locked the account.
func (f *Factors) Due(ctx context.Context, account uuid.UUID, method session.Method) (*session.SecondFactor, error) {
	if method == session.ByPasskey {
		return nil, nil
	}
	row, err := confirmed(ctx, account)
	if row == nil || err != nil {
		return nil, err
	}
	a, err := f.lock(ctx, account)
	if err != nil {
		return nil, err
	}
	due := &session.SecondFactor{Kinds: []string{"TOTP"}}
	left, err := of(ctx, account, kindRecovery).Exist(system(ctx))
	switch {
	case err != nil:
		return nil, fmt.Errorf("look for recovery codes: %w", err)
	case left:
		due.Kinds = append(due.Kinds, "RECOVERY_CODE")
	}
	due.Token, err = onetime.New(ctx, dueToken, account, pending{Method: method, ValidAfter: a.ValidAfter}, tokenLife)
	return due, err
}

// errToken is the error for everything that can be wrong with a token of a second factor.
var errToken = &apperr.Error{Code: apperr.CodeUnauthenticated, Message: "this token is not good, or no longer: sign in again"}

// errCode is the error for everything that can be wrong with a code.
var errCode = apperr.BadInput("code", "the code is wrong, or it was used before")

// Complete begins a session for the account of a token, if the code is good. The error is
// UNAUTHENTICATED if the token is not good any more, BAD_USER_INPUT if the code is wrong, and
// RATE_LIMITED after too many wrong codes for the account. With a token, mostTries codes may be
// tried. A wrong code is logged as a failure to sign in.
func (f *Factors) Complete(ctx context.Context, token, code string) (*session.Tokens, error) {
	account, err := f.accountOf(ctx, token)
	if err != nil {
		return nil, err
	}
	var p pending
	err = f.guard(ctx, account, func(apart context.Context) (ok bool, err error) {
		if p, err = f.spend(ctx, token); err != nil {
			return false, err
		}
		return f.check(apart, account, code)
	})
	if errors.Is(err, errCode) {
		f.sessions.Failed(ctx, account, p.Method)
	}
	if err != nil {
		return nil, err
	}
	a, err := f.lock(ctx, account)
	switch {
	case err != nil:
		return nil, err
	case a == nil || !a.Active || !a.ValidAfter.Equal(p.ValidAfter):
		return nil, errToken // the account was changed after the token was made
	}
	if err := orCode(f.check(ctx, account, code)); err != nil {
		return nil, err
	}
	if _, err := onetime.Use(ctx, dueToken, token); err != nil {
		return nil, orToken(err)
	}
	return f.sessions.Complete(ctx, a, p.Method)
}

// guard slows down guesses of an account's codes. try reports whether a code is good; if not, guard
// returns errCode. The unit of work of try is rolled back, so that no connection is held while
// failures are counted. The caller then has to check the code again, and use it.
func (f *Factors) guard(ctx context.Context, account uuid.UUID, try func(context.Context) (bool, error)) error {
	return f.sessions.Guard(ctx, errCode, func() (bool, error) {
		u := unit.New(f.db, unit.Write)
		defer u.Rollback()
		return try(unit.NewContext(ctx, u))
	}, "second factor", account.String())
}

// guardViewer is guard for the viewer's account. If the code is good, try is called once more in
// the unit of work of ctx, which locks the account, and guardViewer returns the account.
func (f *Factors) guardViewer(ctx context.Context, try func(context.Context, *session.Account) (bool, error)) (a *session.Account, err error) {
	once := func(ctx context.Context) (ok bool, err error) {
		if a, err = f.sessions.Viewer(ctx); err != nil {
			return false, err
		}
		return try(ctx, a)
	}
	if err := f.guard(ctx, viewer.FromContext(ctx).ID, once); err != nil {
		return nil, err
	}
	return a, orCode(once(ctx))
}

// accountOf returns the account of a token of a second factor. It looks in a unit of work of its
// own, so that no connection is held while failures are counted.
func (f *Factors) accountOf(ctx context.Context, token string) (account uuid.UUID, err error) {
	err = f.apart(ctx, unit.Snapshot, func(ctx context.Context) error {
		t, err := onetime.Find(ctx, dueToken, token)
		if err == nil {
			account = t.Account
		}
		return orToken(err)
	})
	return account, err
}

// spend counts a try of a token, and returns what the token stands for. It does so in a unit of
// work of its own, because the one of ctx is rolled back if the code is wrong.
func (f *Factors) spend(ctx context.Context, token string) (p pending, err error) {
	err = f.apart(ctx, unit.Write, func(ctx context.Context) error {
		t, err := onetime.Find(ctx, dueToken, token)
		if err != nil {
			return orToken(err)
		}
		// Others that try at this moment wait here, and then read what was stored.
		if _, err := f.lock(ctx, t.Account); err != nil {
			return err
		}
		if t, err = onetime.Find(ctx, dueToken, token); err != nil {
			return orToken(err)
		}
		if err := t.Data(&p); err != nil {
			return fmt.Errorf("read what a token stands for: %w", err)
		}
		if p.Tries >= mostTries {
			return errToken
		}
		p.Tries++
		return orToken(onetime.Change(ctx, dueToken, token, p))
	})
	return p, err
}

// Remove removes all factors of an account, as an administrator does for somebody who has lost
// them.
func Remove(ctx context.Context, account uuid.UUID) error {
	_, err := ent.FromUnit(ctx).Credential.Delete().
		Where(credential.UserID(account), credential.KindIn(kindTOTP, kindRecovery, kindPasskey)).Exec(system(ctx))
	if err != nil {
		return fmt.Errorf("remove factors: %w", err)
	}
	return onetime.End(ctx, account, dueToken, registerPasskey)
}

var errNotLately = apperr.Forbidden("", "sign in again first: this is for sessions that began in the last %d minutes, "+
	"or give a code of your authenticator app, where one can be given", session.Lately/time.Minute)

// trusted calls do with the viewer's account, which it locks, if the code is good. If code is nil,
// the viewer must have signed in lately instead, so that a token that was stolen is not enough.
func (f *Factors) trusted(ctx context.Context, code *string, do func(*session.Account) error) error {
	if code != nil {
		return f.proved(ctx, *code, do)
	}
	a, err := f.sessions.Viewer(ctx)
	if err != nil {
		return err
	}
	lately, err := f.sessions.RecentlyBegun(ctx)
	switch {
	case err != nil:
		return err
	case !lately:
		return errNotLately
	}
	return do(a)
}

// proved calls do with the viewer's account, which it locks, if the code is good.
func (f *Factors) proved(ctx context.Context, code string, do func(*session.Account) error) error {
	a, err := f.guardViewer(ctx, func(ctx context.Context, a *session.Account) (bool, error) { return f.check(ctx, a.ID, code) })
	if err != nil {
		return err
	}
	return do(a)
}

// apart calls do in a unit of work of its own, and commits it if do returns no error.
func (f *Factors) apart(ctx context.Context, mode unit.Mode, do func(context.Context) error) error {
	u := unit.New(f.db, mode)
	defer u.Rollback()
	if err := do(unit.NewContext(ctx, u)); err != nil {
		return err
	}
	return u.Commit(ctx)
}

// lock locks an account, and returns nil if there is none.
func (f *Factors) lock(ctx context.Context, account uuid.UUID) (*session.Account, error) {
	a, err := f.accounts.Lock(system(ctx), account)
	if err != nil {
		return nil, fmt.Errorf("lock an account: %w", err)
	}
	return a, nil
}

// of returns a query for the credentials of an account of one kind.
func of(ctx context.Context, account uuid.UUID, kind string) *ent.CredentialQuery {
	return ent.FromUnit(ctx).Credential.Query().Where(credential.UserID(account), credential.Kind(kind))
}

// orCode returns errCode if a code is not good.
func orCode(good bool, err error) error {
	if err == nil && !good {
		return errCode
	}
	return err
}

func orToken(err error) error {
	if errors.Is(err, onetime.ErrInvalid) {
		return errToken
	}
	return err
}

func system(ctx context.Context) context.Context { return viewer.NewContext(ctx, viewer.System) }
