package graph

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"forge/ent"
	"forge/ent/schema"
	"forge/graph/model"
	"forge/internal/apperr"
	"forge/internal/gqlexec"
	"forge/internal/ids"
	"forge/internal/input"
	"forge/internal/provider"
	"forge/internal/session"
	"forge/internal/viewer"
)

// signing returns the sessions. It returns FORBIDDEN if nobody can sign in on this server.
func (r *Resolver) signing() (*session.Sessions, error) {
	if r.Sessions == nil {
		return nil, apperr.Forbidden("", "this server has no key to sign tokens with: set AUTH_SECRET")
	}
	return r.Sessions, nil
}

func (r *Resolver) signUp(ctx context.Context, in model.SignUpInput) (*session.Tokens, error) {
	s, err := r.signing()
	if err != nil {
		return nil, err
	}
	f := input.Form{Path: "input"}
	name := f.Username("username", in.Username, schema.UsernameLength)
	given, _ := in.Email.ValueOK()
	address := f.Email("email", given, schema.EmailLength)
	secret := f.Password("password", &in.Password)
	if f.Err() != nil {
		return nil, f.Err()
	}
	return s.SignUp(ctx, *secret, func(ctx context.Context, hash string) (*session.Account, error) {
		u, err := ent.FromUnit(ctx).User.Create().SetUsername(name).SetNillableEmail(address).
			SetHashedPassword(hash).Save(ctx)
		if err != nil {
			return nil, inGeneral(fmt.Errorf("sign a user up: %w", err))
		}
		return account(u), nil
	})
}

func (r *Resolver) signIn(ctx context.Context, in model.SignInInput) (*session.Tokens, error) {
	s, err := r.signing()
	if err != nil {
		return nil, err
	}
	f := input.Form{Path: "input"}
	login := f.Text("login", in.Login, schema.EmailLength)
	if f.Err() != nil {
		return nil, f.Err()
	}
	return s.SignIn(ctx, login, in.Password)
}

// signInPayload returns the answer to somebody who has proved who they are. It returns nil if t is
// nil.
func signInPayload(t *session.Tokens) *model.SignInPayload {
	switch {
	case t == nil:
		return nil
	case t.Due != nil:
		due := &model.SecondFactor{Token: t.Due.Token}
		for _, kind := range t.Due.Kinds {
			due.Kinds = append(due.Kinds, model.SecondFactorKind(kind))
		}
		return &model.SignInPayload{SecondFactor: due}
	}
	return &model.SignInPayload{AccessToken: &t.Access, ExpiresAt: &t.Expires, RefreshToken: orNull(t.Refresh), User: userOf(t.Account)}
}

// orNull returns nil for an empty text.
func orNull(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

func (r *Resolver) refreshSession(ctx context.Context, in model.RefreshSessionInput) (*session.Tokens, error) {
	s, err := r.signing()
	if err != nil {
		return nil, err
	}
	tokens, err := s.Refresh(ctx, in.RefreshToken)
	if replayed, ok := errors.AsType[*session.ReplayError](err); ok {
		gqlexec.AfterRollback(ctx, replayed.End)
	}
	return tokens, err
}

func (r *Resolver) signOut(ctx context.Context, in model.SignOutInput) (bool, error) {
	s, err := r.signing()
	if err != nil {
		return false, err
	}
	return s.SignOut(ctx, in.RefreshToken)
}

func (r *Resolver) changePassword(ctx context.Context, in model.ChangePasswordInput) (*model.User, error) {
	s, err := r.signing()
	if err != nil {
		return nil, err
	}
	if viewer.FromContext(ctx).ID == uuid.Nil {
		return nil, apperr.Unauthenticated()
	}
	if viewer.FromContext(ctx).Stranger {
		return nil, apperr.Forbidden("", "your token is a provider's, and your password is changed there")
	}
	f := input.Form{Path: "input"}
	after := f.Password("newPassword", &in.NewPassword)
	if f.Err() != nil {
		return nil, f.Err()
	}
	id, at, err := s.ChangePassword(ctx, in.OldPassword, *after)
	if err != nil {
		return nil, err
	}
	gqlexec.BeforeCommit(ctx, func() { r.Revocations.Add(id, at) })
	return userOf(id), nil
}

// providers returns the providers that people sign in with. It returns FORBIDDEN if there are none.
func (r *Resolver) providers() (*provider.Providers, error) {
	if r.Providers == nil {
		return nil, apperr.Forbidden("", "people cannot sign in with providers here: set AUTH_PROVIDERS_FILE")
	}
	return r.Providers, nil
}

func (r *Resolver) authProviders() []*model.AuthProvider {
	list := []*model.AuthProvider{}
	for _, offer := range r.Providers.Offers() {
		list = append(list, &model.AuthProvider{Name: offer.Name, StartURL: offer.StartURL})
	}
	return list
}

func (r *Resolver) signInWithProvider(ctx context.Context, code, verifier string) (*session.Tokens, error) {
	p, err := r.providers()
	if err != nil {
		return nil, err
	}
	return p.SignIn(ctx, code, verifier)
}

func (r *Resolver) beginProviderLink(ctx context.Context, name, returnTo, challenge string) (string, error) {
	p, err := r.providers()
	if err != nil {
		return "", err
	}
	return p.BeginLink(ctx, name, returnTo, challenge)
}

func (r *Resolver) finishProviderLink(ctx context.Context, code, verifier string) (*model.Identity, error) {
	p, err := r.providers()
	if err != nil {
		return nil, err
	}
	row, err := p.FinishLink(ctx, code, verifier)
	if err != nil {
		return nil, err
	}
	return identityOf(row), nil
}

func (r *Resolver) unlinkProvider(ctx context.Context, id ids.ID) error {
	p, err := r.providers()
	if err != nil {
		return err
	}
	return p.Unlink(ctx, id)
}

// identities returns the identities of each user.
func identities(ctx context.Context, users []*model.User) ([][]*model.Identity, error) {
	accounts := make([]uuid.UUID, len(users))
	for i, u := range users {
		accounts[i] = u.ID.UUID
	}
	found, err := provider.Identities(ctx, accounts)
	lists := make([][]*model.Identity, len(users))
	for i, id := range accounts {
		lists[i] = []*model.Identity{}
		for _, row := range found[id] {
			lists[i] = append(lists[i], identityOf(row))
		}
	}
	return lists, err
}

func identityOf(row *ent.Credential) *model.Identity {
	return &model.Identity{ID: row.GlobalID(), Provider: provider.Name(row), Email: row.Name, CreatedAt: row.CreatedAt, LastUsedAt: row.LastUsedAt}
}

func userOf(id uuid.UUID) *model.User { return &model.User{ID: ids.ID{Prefix: "user", UUID: id}} }

// endSessions ends the sessions of a user, and revokes the user's tokens, which were valid until a
// time.
func (r *Resolver) endSessions(ctx context.Context, id uuid.UUID, at time.Time) error {
	if err := session.End(ctx, id); err != nil {
		return err
	}
	gqlexec.BeforeCommit(ctx, func() { r.Revocations.Add(id, at) })
	return nil
}
