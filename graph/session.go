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
	"forge/internal/account"
	"forge/internal/apperr"
	"forge/internal/gqlexec"
	"forge/internal/ids"
	"forge/internal/input"
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
		return accountOf(u), nil
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

// textOr returns a text, or "" for null.
func textOr(text *string) string {
	if text == nil {
		return ""
	}
	return *text
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
	return userOf(id), r.Account.Notice(ctx, id, account.NewPassword)
}

func (r *Resolver) requestEmailChange(ctx context.Context, address string) (*model.OkPayload, error) {
	f := input.Form{}
	parsed := f.Email("email", &address, schema.EmailLength)
	if f.Err() != nil {
		return nil, f.Err()
	}
	return done(r.Account.RequestEmailChange(ctx, *parsed))
}

func (r *Resolver) requestPasswordReset(ctx context.Context, address string) (*model.OkPayload, error) {
	f := input.Form{}
	parsed := f.Email("email", &address, schema.EmailLength)
	if f.Err() != nil {
		return nil, f.Err()
	}
	return done(r.Account.RequestPasswordReset(ctx, *parsed))
}

func (r *Resolver) resetPassword(ctx context.Context, token, newPassword string) (*model.OkPayload, error) {
	f := input.Form{}
	after := f.Password("newPassword", &newPassword)
	if f.Err() != nil {
		return nil, f.Err()
	}
	return done(r.Account.ResetPassword(ctx, token, *after))
}

// requestByLogin calls request with a login, if that is one.
func requestByLogin(ctx context.Context, login string, request func(context.Context, string) error) (*model.OkPayload, error) {
	f := input.Form{}
	login = f.Text("login", login, schema.EmailLength)
	if f.Err() != nil {
		return nil, f.Err()
	}
	return done(request(ctx, login))
}

// done returns the answer to what has succeeded, unless err says that it has not.
func done(err error) (*model.OkPayload, error) {
	if err != nil {
		return nil, err
	}
	return &model.OkPayload{Ok: true}, nil
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
