package graph

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"forge/ent"
	"forge/ent/schema"
	"forge/ent/user"
	"forge/graph/model"
	"forge/internal/apperr"
	"forge/internal/factor"
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

// factors returns the second factors. It returns FORBIDDEN if nobody can sign in on this server.
func (r *Resolver) factors() (*factor.Factors, error) {
	if _, err := r.signing(); err != nil {
		return nil, err
	}
	if r.Factors == nil {
		return nil, apperr.Forbidden("", "this server has no second factors")
	}
	return r.Factors, nil
}

// recoveryCodes returns the recovery codes that a method of the second factors makes for a code.
func (r *Resolver) recoveryCodes(ctx context.Context, code string, of func(*factor.Factors, context.Context, string) ([]string, error)) (*model.RecoveryCodesPayload, error) {
	f, err := r.factors()
	if err != nil {
		return nil, err
	}
	codes, err := of(f, ctx, code)
	if err != nil {
		return nil, err
	}
	return &model.RecoveryCodesPayload{RecoveryCodes: codes}, nil
}

// options returns the options of a passkey, as a method of the second factors makes them.
func (r *Resolver) options(make func(*factor.Factors) (any, error)) (*model.PasskeyOptionsPayload, error) {
	f, err := r.factors()
	if err != nil {
		return nil, err
	}
	options, err := make(f)
	if err != nil {
		return nil, err
	}
	return &model.PasskeyOptionsPayload{Options: options}, nil
}

func (r *Resolver) finishPasskey(ctx context.Context, response any, name *string) (*model.FinishPasskeyPayload, error) {
	f, err := r.factors()
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
	return &model.FinishPasskeyPayload{Passkey: passkeyOf(row)}, nil
}

func (r *Resolver) removePasskey(ctx context.Context, id ids.ID, code *string) (*model.RemovePasskeyPayload, error) {
	f, err := r.factors()
	if err != nil {
		return nil, err
	}
	if err := input.WantPrefix("id", id, "credential"); err != nil {
		return nil, err
	}
	if err := f.RemovePasskey(ctx, id, code); err != nil {
		return nil, err
	}
	return &model.RemovePasskeyPayload{DeletedID: id}, nil
}

// removeFactors removes the second factors and passkeys of a user, and ends the user's sessions and
// tokens, some of which whoever has the lost factors may have.
func (r *Resolver) removeFactors(ctx context.Context, id ids.ID) (*model.OkPayload, error) {
	if err := input.WantPrefix("userId", id, "user"); err != nil {
		return nil, err
	}
	at, err := session.Stamp(ctx, Accounts{}, id.UUID)
	if err != nil {
		return nil, err
	}
	n, err := ent.FromUnit(ctx).User.Update().Where(user.ID(id.UUID)).SetTokensValidAfter(at).Save(ctx)
	switch {
	case err != nil:
		return nil, fmt.Errorf("end the tokens of a user: %w", err)
	case n == 0:
		return nil, apperr.NotFound(id)
	}
	if err := factor.Remove(ctx, id.UUID); err != nil {
		return nil, err
	}
	return &model.OkPayload{Ok: true}, r.endSessions(ctx, id.UUID, at)
}

// passkeyOf returns a passkey as the API shows it.
func passkeyOf(row *ent.Credential) *model.Passkey {
	return &model.Passkey{ID: row.GlobalID(), Name: row.Name, CreatedAt: row.CreatedAt, LastUsedAt: row.LastUsedAt}
}

// passkeys returns the passkeys of each user.
func passkeys(ctx context.Context, users []*model.User) ([][]*model.Passkey, error) {
	found, err := factor.PasskeysOf(ctx, keysOf(users))
	lists := make([][]*model.Passkey, len(users))
	for i, u := range users {
		lists[i] = []*model.Passkey{}
		for _, row := range found[u.ID.UUID] {
			lists[i] = append(lists[i], passkeyOf(row))
		}
	}
	return lists, err
}

// hasTOTP tells of each user whether they have set up an authenticator app.
func hasTOTP(ctx context.Context, users []*model.User) ([]*bool, error) {
	found, err := factor.WithTOTP(ctx, keysOf(users))
	all := make([]*bool, len(users))
	for i, u := range users {
		all[i] = new(found[u.ID.UUID])
	}
	return all, err
}

func keysOf(users []*model.User) (keys []uuid.UUID) {
	for _, u := range users {
		keys = append(keys, u.ID.UUID)
	}
	return keys
}
