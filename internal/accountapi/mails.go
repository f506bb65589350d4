package accountapi

import (
	"context"
	"time"

	"forge/internal/input"
	"forge/internal/session"
)

// EmailChange is the answer to the confirmation of a change of an email.
type EmailChange struct {
	Ok   bool
	Done bool
}

// Deletion is the answer to the deletion of an account.
type Deletion struct{ EraseAt time.Time }

// Export is the data of an account.
type Export struct{ Data string }

// RequestEmailChange has mails sent that confirm another email.
func (a API) RequestEmailChange(ctx context.Context, address string) (*Ok, error) {
	return withEmail(ctx, address, a.Account.RequestEmailChange)
}

// ConfirmEmailChange uses a token of such a mail.
func (a API) ConfirmEmailChange(ctx context.Context, token string) (*EmailChange, error) {
	done, err := a.Account.ConfirmEmailChange(ctx, token)
	if err != nil {
		return nil, err
	}
	return &EmailChange{Ok: true, Done: done}, nil
}

// RequestPasswordReset has a mail sent that leads to another password.
func (a API) RequestPasswordReset(ctx context.Context, address string) (*Ok, error) {
	return withEmail(ctx, address, a.Account.RequestPasswordReset)
}

// withEmail calls request with an email, if that is one.
func withEmail(ctx context.Context, address string, request func(context.Context, string) error) (*Ok, error) {
	f := input.Form{}
	parsed := f.Email("email", &address, maxLogin)
	if f.Err() != nil {
		return nil, f.Err()
	}
	return Done(request(ctx, *parsed))
}

// ResetPassword uses a token of such a mail.
func (a API) ResetPassword(ctx context.Context, token, newPassword string) (*Ok, error) {
	f := input.Form{}
	after := f.Password("newPassword", &newPassword)
	if f.Err() != nil {
		return nil, f.Err()
	}
	return Done(a.Account.ResetPassword(ctx, token, *after))
}

// RequestSignInLink has a mail sent with a link to sign in.
func (a API) RequestSignInLink(ctx context.Context, login string) (*Ok, error) {
	return withLogin(ctx, login, a.Account.RequestSignInLink)
}

// RequestSignInCode has a mail sent with a code to sign in.
func (a API) RequestSignInCode(ctx context.Context, login string) (*Ok, error) {
	return withLogin(ctx, login, a.Account.RequestSignInCode)
}

// SignInWithCode begins a session with a code of a mail.
func (a API) SignInWithCode(ctx context.Context, login, code string) (*session.Tokens, error) {
	f := input.Form{}
	login = f.Text("login", login, maxLogin) // to look for a megabyte takes a second
	if f.Err() != nil {
		return nil, f.Err()
	}
	return a.Account.SignInWithCode(ctx, login, code)
}

// withLogin calls request with a login, if that is one.
func withLogin(ctx context.Context, login string, request func(context.Context, string) error) (*Ok, error) {
	f := input.Form{}
	login = f.Text("login", login, maxLogin)
	if f.Err() != nil {
		return nil, f.Err()
	}
	return Done(request(ctx, login))
}

// DeleteAccount has the viewer's account erased later.
func (a API) DeleteAccount(ctx context.Context, password *string) (*Deletion, error) {
	secret := ""
	if password != nil {
		secret = *password
	}
	at, err := a.Account.Delete(ctx, secret)
	if err != nil {
		return nil, err
	}
	return &Deletion{at}, nil
}

// ExportAccount returns the viewer's data.
func (a API) ExportAccount(ctx context.Context) (*Export, error) {
	data, err := a.Account.Export(ctx)
	if err != nil {
		return nil, err
	}
	return &Export{data}, nil
}
