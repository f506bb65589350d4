package graph

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/google/uuid"

	"forge/ent"
	"forge/ent/schema"
	"forge/ent/user"
	"forge/graph/model"
	"forge/internal/apperr"
	"forge/internal/cookie"
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

func (r *Resolver) refreshSession(ctx context.Context, in *model.RefreshSessionInput) (*session.Tokens, error) {
	s, err := r.signing()
	if err != nil {
		return nil, err
	}
	var given graphql.Omittable[*string]
	if in != nil {
		given = in.RefreshToken
	}
	token, jar, err := r.refreshToken(ctx, given)
	if err != nil {
		return nil, err
	}
	tokens, err := s.Refresh(ctx, token)
	if replayed, ok := errors.AsType[*session.ReplayError](err); ok {
		gqlexec.AfterRollback(ctx, replayed.End)
	}
	if f, ok := errors.AsType[*apperr.Error](err); ok && f.Code == apperr.CodeUnauthenticated && jar != nil {
		gqlexec.AfterRollback(ctx, func(context.Context) error { jar.Clear(); return nil })
	}
	return tokens, err
}

func (r *Resolver) signOut(ctx context.Context, in *model.SignOutInput) (bool, error) {
	s, err := r.signing()
	if err != nil {
		return false, err
	}
	var given graphql.Omittable[*string]
	if in != nil {
		given = in.RefreshToken
	}
	token, jar, err := r.refreshToken(ctx, given)
	if err != nil {
		return false, err
	}
	if jar != nil {
		gqlexec.AfterCommit(ctx, func(context.Context) { jar.Clear() })
	}
	return s.SignOut(ctx, token)
}

// refreshToken returns the refresh token of an input. If the input has none, it returns the one in
// the request's cookie, and the jar that the cookie is in.
func (r *Resolver) refreshToken(ctx context.Context, given graphql.Omittable[*string]) (string, *cookie.Jar, error) {
	if token := given.Value(); token != nil {
		return *token, nil, nil
	}
	jar, err := r.Cookies.Jar(ctx)
	switch {
	case err != nil:
		return "", nil, err
	case jar == nil:
		return "", nil, apperr.BadInput("input.refreshToken", "refreshToken has to be given: it is in no cookie")
	}
	return jar.Refresh(), jar, nil
}

// endSession ends a session that is the viewer's, or any session if the viewer is an administrator
// who may see its user.
func (r *Resolver) endSession(ctx context.Context, id ids.ID) error {
	if err := input.WantPrefix("id", id, "session"); err != nil {
		return err
	}
	s, err := r.signing()
	if err != nil {
		return err
	}
	v := viewer.FromContext(ctx)
	if err := session.Holds(ctx, v); err != nil {
		return err
	}
	owner, err := session.Owner(ctx, id.UUID)
	if err != nil {
		return err
	}
	may := owner == v.ID && owner != uuid.Nil
	if !may && v.Role == viewer.Admin {
		if may, err = ent.FromUnit(ctx).User.Query().Where(user.ID(owner)).Exist(ctx); err != nil {
			return fmt.Errorf("look for the user of a session: %w", err)
		}
	}
	if !may {
		return apperr.NotFound(id)
	}
	return s.EndOne(ctx, owner, id.UUID)
}

func (r *Resolver) endOtherSessions(ctx context.Context) (int, error) {
	s, err := r.signing()
	if err != nil {
		return 0, err
	}
	return s.EndOthers(ctx)
}

// sessionsOf returns the sessions of each user.
func sessionsOf(ctx context.Context, users []*model.User) ([]*model.Sessions, error) {
	found, err := session.List(ctx, keysOf(users))
	if err != nil {
		return nil, err
	}
	current := viewer.FromContext(ctx).Session
	lists := make([]*model.Sessions, len(users))
	for i, u := range users {
		lists[i] = &model.Sessions{Nodes: []*model.UserSession{}}
		for _, l := range found[u.ID.UUID] {
			lists[i].Nodes = append(lists[i].Nodes, &model.UserSession{ID: ids.ID{Prefix: "session", UUID: l.Family}, CreatedAt: l.Began, LastUsedAt: l.Used,
				Address: orNull(l.Address), Client: orNull(l.Client), Method: cmp.Or(string(l.Method), "unknown"), Current: l.Family == current})
		}
	}
	return lists, nil
}

// signInsOf returns the newest entries of the log of sign-ins for each user.
func signInsOf(ctx context.Context, users []*model.User, first int32) ([]*model.SignInLog, error) {
	if first < 0 || first > 100 {
		return nil, apperr.BadInput("first", "first is %d; from 0 to 100 is allowed", first)
	}
	found, err := session.SignIns(ctx, keysOf(users), int(first))
	if err != nil {
		return nil, err
	}
	logs := make([]*model.SignInLog, len(users))
	for i, u := range users {
		logs[i] = &model.SignInLog{Nodes: []*model.SignInLogEntry{}}
		for _, e := range found[u.ID.UUID] {
			logs[i].Nodes = append(logs[i].Nodes, &model.SignInLogEntry{At: e.CreatedAt, Method: e.Method, Succeeded: e.Succeeded,
				Address: orNull(e.Address), Client: orNull(e.Client)})
		}
	}
	return logs, nil
}

func keysOf(users []*model.User) []uuid.UUID {
	keys := make([]uuid.UUID, len(users))
	for i, u := range users {
		keys[i] = u.ID.UUID
	}
	return keys
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
