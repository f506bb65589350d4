package graph

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"forge/ent"
	"forge/ent/schema"
	"forge/ent/user"
	"forge/graph/model"
	"forge/internal/accountapi"
	"forge/internal/apperr"
	"forge/internal/factor"
	"forge/internal/ids"
	"forge/internal/input"
	"forge/internal/session"
	"forge/internal/viewer"
)

// accounts answers what the framework knows of accounts. The answers with a user are made here.
func (r *Resolver) accounts() accountapi.API { return accountapi.API{Services: r.Services} }

func (r *Resolver) signUp(ctx context.Context, in model.SignUpInput) (*session.Tokens, error) {
	s, err := r.accounts().Signing()
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
		return accountOf(u), nil
	})
}

// signInPayload returns the answer to somebody who has proved who they are, unless err says that
// they have not.
func signInPayload(t *session.Tokens, err error) (*model.SignInPayload, error) {
	switch {
	case err != nil || t == nil:
		return nil, err
	case t.Due != nil:
		return &model.SignInPayload{SecondFactor: t.Due}, nil
	}
	return &model.SignInPayload{AccessToken: &t.Access, ExpiresAt: &t.Expires, RefreshToken: accountapi.OrNull(t.Refresh), User: userOf(t.Account)}, nil
}

func signUpPayload(t *session.Tokens, err error) (*model.SignUpPayload, error) {
	if err != nil {
		return nil, err
	}
	return &model.SignUpPayload{AccessToken: t.Access, ExpiresAt: t.Expires, RefreshToken: accountapi.OrNull(t.Refresh), User: userOf(t.Account)}, nil
}

func refreshPayload(t *session.Tokens, err error) (*model.RefreshSessionPayload, error) {
	if err != nil {
		return nil, err
	}
	return &model.RefreshSessionPayload{AccessToken: t.Access, ExpiresAt: t.Expires, RefreshToken: accountapi.OrNull(t.Refresh), User: userOf(t.Account)}, nil
}

// hasUser reports whether the viewer, who is an administrator, may see a user.
func hasUser(ctx context.Context, id uuid.UUID) (bool, error) {
	there, err := ent.FromUnit(ctx).User.Query().Where(user.ID(id)).Exist(ctx)
	if err != nil {
		return false, fmt.Errorf("look for the user of a session: %w", err)
	}
	return there, nil
}

func keysOf(users []*model.User) []uuid.UUID {
	keys := make([]uuid.UUID, len(users))
	for i, u := range users {
		keys[i] = u.ID.UUID
	}
	return keys
}

func userOf(id uuid.UUID) *model.User { return &model.User{ID: ids.ID{Prefix: "user", UUID: id}} }

// removeFactors removes the second factors and passkeys of a user, and ends the user's sessions and
// tokens, some of which whoever has the lost factors may have.
func (r *Resolver) removeFactors(ctx context.Context, id ids.ID) error {
	if err := input.WantPrefix("userId", id, "user"); err != nil {
		return err
	}
	if err := session.Holds(ctx, viewer.FromContext(ctx)); err != nil {
		return err
	}
	at, err := session.Stamp(ctx, Accounts{}, id.UUID)
	if err != nil {
		return err
	}
	n, err := ent.FromUnit(ctx).User.Update().Where(user.ID(id.UUID)).SetTokensValidAfter(at).Save(ctx)
	switch {
	case err != nil:
		return fmt.Errorf("end the tokens of a user: %w", err)
	case n == 0:
		return apperr.NotFound(id)
	}
	if err := factor.Remove(ctx, id.UUID); err != nil {
		return err
	}
	return r.accounts().EndSessions(ctx, id.UUID, at)
}
