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
	"forge/internal/account"
	"forge/internal/apperr"
	"forge/internal/cookie"
	"forge/internal/factor"
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

// orEmpty returns a text, or "" for null.
func orEmpty(text *string) string {
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
	return identityOf(row), r.noticeFactor(ctx)
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
	accounts := keysOf(users)
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
	return &model.RecoveryCodesPayload{RecoveryCodes: codes}, r.noticeFactor(ctx)
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
	return &model.FinishPasskeyPayload{Passkey: passkeyOf(row)}, r.noticeFactor(ctx)
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

// noticeFactor has a mail tell the viewer that there is another way to sign in to their account.
func (r *Resolver) noticeFactor(ctx context.Context) error {
	return r.Account.Notice(ctx, viewer.FromContext(ctx).ID, account.NewFactor)
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
