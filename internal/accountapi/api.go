// Package accountapi is the part of an API that has to do with accounts: it checks the arguments of
// its fields, calls the services of the server, and makes the answers. The types of the answers are
// those of the schema, to which gqlgen.yml binds them. What an answer shows of an account itself is
// the application's.
package accountapi

import (
	"context"
	"time"

	"github.com/google/uuid"

	"forge/internal/account"
	"forge/internal/apperr"
	"forge/internal/application"
	"forge/internal/factor"
	"forge/internal/gqlexec"
	"forge/internal/provider"
	"forge/internal/session"
	"forge/internal/viewer"
)

// maxLogin is how many characters an email, or a login that may be one, may have.
const maxLogin = 254

// API answers the fields that have to do with accounts, by the services of a server.
type API struct{ application.Services }

// Ok is the answer to what has succeeded.
type Ok struct{ Ok bool }

// Done returns the answer to what has succeeded, unless err says that it has not.
func Done(err error) (*Ok, error) {
	if err != nil {
		return nil, err
	}
	return &Ok{true}, nil
}

// Signing returns the sessions. It returns FORBIDDEN if nobody can sign in on this server.
func (a API) Signing() (*session.Sessions, error) {
	if a.Sessions == nil {
		return nil, apperr.Forbidden("", "this server has no key to sign tokens with: set AUTH_SECRET")
	}
	return a.Sessions, nil
}

// providers returns the providers that people sign in with. It returns FORBIDDEN if there are none.
func (a API) providers() (*provider.Providers, error) {
	if a.Providers == nil {
		return nil, apperr.Forbidden("", "people cannot sign in with providers here: set AUTH_PROVIDERS_FILE")
	}
	return a.Providers, nil
}

// factors returns the second factors. It returns FORBIDDEN if nobody can sign in on this server.
func (a API) factors() (*factor.Factors, error) {
	if _, err := a.Signing(); err != nil {
		return nil, err
	}
	if a.Factors == nil {
		return nil, apperr.Forbidden("", "this server has no second factors")
	}
	return a.Factors, nil
}

// noticeFactor has a mail tell the viewer that there is another way to sign in to their account.
func (a API) noticeFactor(ctx context.Context) error {
	return a.Account.Notice(ctx, viewer.FromContext(ctx).ID, account.NewFactor)
}

// EndSessions ends the sessions of an account, and revokes its tokens, which were valid until a
// time.
func (a API) EndSessions(ctx context.Context, id uuid.UUID, at time.Time) error {
	if err := session.End(ctx, id); err != nil {
		return err
	}
	gqlexec.BeforeCommit(ctx, func() { a.Revocations.Add(id, at) })
	return nil
}

// OrNull returns nil for an empty text.
func OrNull(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}
