package accountapi

import (
	"context"
	"time"

	"github.com/google/uuid"

	"forge/ent"
	"forge/internal/factor"
	"forge/internal/ids"
	"forge/internal/input"
	"forge/internal/session"
)

// Passkey is a passkey of an account.
type Passkey struct {
	ID         ids.ID
	Name       *string
	CreatedAt  time.Time
	LastUsedAt *time.Time
}

// RecoveryCodes are new recovery codes, which are shown once.
type RecoveryCodes struct{ RecoveryCodes []string }

// PasskeyOptions are what a browser makes a passkey with, or signs in with one.
type PasskeyOptions struct{ Options any }

// NewPasskey is the answer with a new passkey.
type NewPasskey struct{ Passkey *Passkey }

// CompleteSignIn begins a session with a code, after another proof.
func (a API) CompleteSignIn(ctx context.Context, token, code string) (*session.Tokens, error) {
	f, err := a.factors()
	if err != nil {
		return nil, err
	}
	return f.Complete(ctx, token, code)
}

// BeginTotp returns what an authenticator app needs.
func (a API) BeginTotp(ctx context.Context) (*factor.TOTP, error) {
	f, err := a.factors()
	if err != nil {
		return nil, err
	}
	t, err := f.BeginTOTP(ctx)
	if err != nil {
		return nil, err
	}
	return &t, nil
}

// ConfirmTotp has the secret of BeginTotp count from now on, and returns recovery codes.
func (a API) ConfirmTotp(ctx context.Context, code string) (*RecoveryCodes, error) {
	return a.recoveryCodes(ctx, code, (*factor.Factors).ConfirmTOTP)
}

// RenewRecoveryCodes replaces the viewer's recovery codes.
func (a API) RenewRecoveryCodes(ctx context.Context, code string) (*RecoveryCodes, error) {
	return a.recoveryCodes(ctx, code, (*factor.Factors).RenewRecoveryCodes)
}

// recoveryCodes returns the recovery codes that a method of the second factors makes for a code.
func (a API) recoveryCodes(ctx context.Context, code string, of func(*factor.Factors, context.Context, string) ([]string, error)) (*RecoveryCodes, error) {
	f, err := a.factors()
	if err != nil {
		return nil, err
	}
	codes, err := of(f, ctx, code)
	if err != nil {
		return nil, err
	}
	return &RecoveryCodes{codes}, a.noticeFactor(ctx)
}

// DisableTotp takes the viewer's authenticator app away.
func (a API) DisableTotp(ctx context.Context, code string) (*Ok, error) {
	f, err := a.factors()
	if err != nil {
		return nil, err
	}
	return Done(f.DisableTOTP(ctx, code))
}

// BeginPasskey returns the options with which a browser makes a passkey.
func (a API) BeginPasskey(ctx context.Context, code *string) (*PasskeyOptions, error) {
	f, err := a.factors()
	if err != nil {
		return nil, err
	}
	return optionsOf(f.BeginPasskey(ctx, code))
}

// BeginPasskeySignIn returns the options with which a browser signs in by a passkey.
func (a API) BeginPasskeySignIn(ctx context.Context) (*PasskeyOptions, error) {
	f, err := a.factors()
	if err != nil {
		return nil, err
	}
	return optionsOf(f.BeginSignIn(ctx))
}

func optionsOf(options any, err error) (*PasskeyOptions, error) {
	if err != nil {
		return nil, err
	}
	return &PasskeyOptions{options}, nil
}

// FinishPasskey stores the passkey that a browser has made.
func (a API) FinishPasskey(ctx context.Context, response any, name *string) (*NewPasskey, error) {
	f, err := a.factors()
	if err != nil {
		return nil, err
	}
	form := input.Form{}
	name = form.Optional("name", name, 100)
	if form.Err() != nil {
		return nil, form.Err()
	}
	row, err := f.FinishPasskey(ctx, response, name)
	if err != nil {
		return nil, err
	}
	return &NewPasskey{passkeyOf(row)}, a.noticeFactor(ctx)
}

// RemovePasskey removes a passkey of the viewer.
func (a API) RemovePasskey(ctx context.Context, id ids.ID, code *string) (*Deleted, error) {
	f, err := a.factors()
	if err != nil {
		return nil, err
	}
	if err := input.WantPrefix("id", id, "credential"); err != nil {
		return nil, err
	}
	if err := f.RemovePasskey(ctx, id, code); err != nil {
		return nil, err
	}
	return &Deleted{id}, nil
}

// SignInWithPasskey begins a session with a browser's answer to the options of BeginPasskeySignIn.
func (a API) SignInWithPasskey(ctx context.Context, response any) (*session.Tokens, error) {
	f, err := a.factors()
	if err != nil {
		return nil, err
	}
	return f.SignIn(ctx, response)
}

func passkeyOf(row *ent.Credential) *Passkey {
	return &Passkey{ID: row.GlobalID(), Name: row.Name, CreatedAt: row.CreatedAt, LastUsedAt: row.LastUsedAt}
}

// PasskeysOf returns the passkeys of each account.
func PasskeysOf(ctx context.Context, accounts []uuid.UUID) ([][]*Passkey, error) {
	found, err := factor.PasskeysOf(ctx, accounts)
	return listsOf(accounts, found, passkeyOf), err
}

// HasTotp tells of each account whether it has an authenticator app.
func HasTotp(ctx context.Context, accounts []uuid.UUID) ([]*bool, error) {
	found, err := factor.WithTOTP(ctx, accounts)
	all := make([]*bool, len(accounts))
	for i, id := range accounts {
		all[i] = new(found[id])
	}
	return all, err
}
