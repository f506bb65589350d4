package accountapi

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/google/uuid"

	"forge/internal/account"
	"forge/internal/apperr"
	"forge/internal/cookie"
	"forge/internal/gqlexec"
	"forge/internal/ids"
	"forge/internal/input"
	"forge/internal/session"
	"forge/internal/viewer"
)

// SignIn begins a session for the account of a login, or returns what is still due.
func (a API) SignIn(ctx context.Context, login, password string) (*session.Tokens, error) {
	s, err := a.Signing()
	if err != nil {
		return nil, err
	}
	f := input.Form{Path: "input"}
	login = f.Text("login", login, maxLogin)
	if f.Err() != nil {
		return nil, f.Err()
	}
	return s.SignIn(ctx, login, password)
}

// RefreshSession goes on with the session of a refresh token, or of the one in the request's cookie
// if none is given. If the token was used before, its family ends.
func (a API) RefreshSession(ctx context.Context, given graphql.Omittable[*string]) (*session.Tokens, error) {
	s, err := a.Signing()
	if err != nil {
		return nil, err
	}
	token, jar, err := a.refreshToken(ctx, given)
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

// SignOut ends the session of a refresh token, or of the one in the request's cookie if none is
// given. It returns false if there is no such session.
func (a API) SignOut(ctx context.Context, given graphql.Omittable[*string]) (bool, error) {
	s, err := a.Signing()
	if err != nil {
		return false, err
	}
	token, jar, err := a.refreshToken(ctx, given)
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
func (a API) refreshToken(ctx context.Context, given graphql.Omittable[*string]) (string, *cookie.Jar, error) {
	if token := given.Value(); token != nil {
		return *token, nil, nil
	}
	jar, err := a.Cookies.Jar(ctx)
	switch {
	case err != nil:
		return "", nil, err
	case jar == nil:
		return "", nil, apperr.BadInput("input.refreshToken", "refreshToken has to be given: it is in no cookie")
	}
	return jar.Refresh(), jar, nil
}

// EndSession ends a session of the viewer, or of an account that visible reports an administrator
// to see. The error is NOT_FOUND for others.
func (a API) EndSession(ctx context.Context, id ids.ID, visible func(ctx context.Context, owner uuid.UUID) (bool, error)) error {
	if err := input.WantPrefix("id", id, "session"); err != nil {
		return err
	}
	s, err := a.Signing()
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
		if may, err = visible(ctx, owner); err != nil {
			return err
		}
	}
	if !may {
		return apperr.NotFound(id)
	}
	return s.EndOne(ctx, owner, id.UUID)
}

// EndOtherSessions ends all sessions of the viewer but the one of the request, and returns how
// many.
func (a API) EndOtherSessions(ctx context.Context) (int32, error) {
	s, err := a.Signing()
	if err != nil {
		return 0, err
	}
	n, err := s.EndOthers(ctx)
	return int32(n), err
}

// Session is a session of an account.
type Session struct {
	ID         ids.ID
	CreatedAt  time.Time
	LastUsedAt time.Time
	Address    *string
	Client     *string
	Method     string
	Current    bool
}

// Sessions are the sessions of an account.
type Sessions struct{ Nodes []*Session }

// SessionsOf returns the sessions of each account.
func SessionsOf(ctx context.Context, accounts []uuid.UUID) ([]*Sessions, error) {
	found, err := session.List(ctx, accounts)
	if err != nil {
		return nil, err
	}
	current := viewer.FromContext(ctx).Session
	lists := make([]*Sessions, len(accounts))
	for i, id := range accounts {
		lists[i] = &Sessions{Nodes: []*Session{}}
		for _, l := range found[id] {
			lists[i].Nodes = append(lists[i].Nodes, &Session{ID: ids.ID{Prefix: "session", UUID: l.Family}, CreatedAt: l.Began, LastUsedAt: l.Used,
				Address: OrNull(l.Address), Client: OrNull(l.Client), Method: cmp.Or(string(l.Method), "unknown"), Current: l.Family == current})
		}
	}
	return lists, nil
}

// SignIn is an entry of the log of sign-ins.
type SignIn struct {
	At        time.Time
	Method    string
	Succeeded bool
	Address   *string
	Client    *string
}

// SignIns are entries of the log of sign-ins.
type SignIns struct{ Nodes []*SignIn }

// SignInsOf returns the newest entries of the log of sign-ins for each account.
func SignInsOf(ctx context.Context, accounts []uuid.UUID, first int32) ([]*SignIns, error) {
	if first < 0 || first > 100 {
		return nil, apperr.BadInput("first", "first is %d; from 0 to 100 is allowed", first)
	}
	found, err := session.SignIns(ctx, accounts, int(first))
	if err != nil {
		return nil, err
	}
	logs := make([]*SignIns, len(accounts))
	for i, id := range accounts {
		logs[i] = &SignIns{Nodes: []*SignIn{}}
		for _, e := range found[id] {
			logs[i].Nodes = append(logs[i].Nodes, &SignIn{e.CreatedAt, e.Method, e.Succeeded, OrNull(e.Address), OrNull(e.Client)})
		}
	}
	return logs, nil
}

// ChangePassword changes the viewer's password, ends all of the viewer's sessions and tokens, and
// returns the viewer's account.
func (a API) ChangePassword(ctx context.Context, before, after string) (id uuid.UUID, err error) {
	s, err := a.Signing()
	switch v := viewer.FromContext(ctx); {
	case err != nil:
		return id, err
	case v.ID == uuid.Nil:
		return id, apperr.Unauthenticated()
	case v.Stranger:
		return id, apperr.Forbidden("", "your token is a provider's, and your password is changed there")
	}
	f := input.Form{Path: "input"}
	secret := f.Password("newPassword", &after)
	if f.Err() != nil {
		return id, f.Err()
	}
	id, at, err := s.ChangePassword(ctx, before, *secret)
	if err != nil {
		return id, err
	}
	gqlexec.BeforeCommit(ctx, func() { a.Revocations.Add(id, at) })
	return id, a.Account.Notice(ctx, id, account.NewPassword)
}
