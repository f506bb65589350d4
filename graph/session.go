package graph

import (
	"context"
	"errors"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/google/uuid"

	"forge/ent"
	"forge/graph/model"
	"forge/internal/apperr"
	"forge/internal/idempotency"
	"forge/internal/ids"
	"forge/internal/read"
	"forge/internal/session"
	"forge/internal/unit"
	"forge/internal/viewer"
)

// isSessionField reports whether a root field deals with passwords or refresh tokens.
func isSessionField(name string) bool {
	switch name {
	case "signUp", "signIn", "refreshSession", "signOut", "changePassword":
		return true
	}
	return false
}

// sessionField returns the name of the operation's root field that deals with passwords or refresh tokens, "" if there is none. It stands alone: else one
// operation could try many passwords, and would hold a connection while it hashes them. Its answer holds secrets, so it is not kept under a key.
func sessionField(ctx context.Context, engine *read.Engine) (name string, err error) {
	op := graphql.GetOperationContext(ctx)
	roots := 0
	for _, root := range engine.RootFields(op) {
		if !strings.HasPrefix(root.Name, "__") {
			roots++
		}
		if isSessionField(root.Name) {
			name = root.Name
		}
	}
	switch {
	case name == "":
		return "", nil
	case roots > 1:
		return name, apperr.BadInput(name, "%s stands alone in its operation: it is the only root field", name)
	case op.Headers.Get(idempotency.Header) != "":
		return name, apperr.BadInput(idempotency.Header, "%s takes no %s: its answer is not kept", name, idempotency.Header)
	}
	return name, nil
}

// admit checks a mutation before it stores anything. A token that has been ended by another process is found out here: what is read may be a second behind.
func (a *attempt) admit(ctx context.Context) error {
	if !isMutation(ctx) {
		return nil
	}
	field, err := sessionField(ctx, a.engine)
	if err != nil || field != "" {
		return err
	}
	if v := viewer.FromContext(ctx); v.ID != uuid.Nil && !v.Stranger {
		return session.Check(ctx, a.db, v)
	}
	return nil
}

// switchViewer is a root field middleware: who signs in sees the answer as themselves.
func switchViewer(ctx context.Context, next graphql.RootResolver) graphql.Marshaler {
	if isSessionField(graphql.GetRootFieldContext(ctx).Field.Name) {
		ctx = viewer.Switchable(ctx)
	}
	return next(ctx)
}

// signing returns what signs people in, or why nobody can sign in.
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
	f := form{path: "input"}
	account := session.Account{Username: f.username("username", in.Username)}
	email, _ := in.Email.ValueOK()
	account.Email, account.EmailKey = f.email("email", email)
	account.Password = *f.password("password", &in.Password)
	if f.fault != nil {
		return nil, f.fault
	}
	return s.SignUp(ctx, account)
}

func (r *Resolver) signIn(ctx context.Context, in model.SignInInput) (*session.Tokens, error) {
	s, err := r.signing()
	if err != nil {
		return nil, err
	}
	f := form{path: "input"}
	login := f.text("login", in.Login, emailLength)
	if f.fault != nil {
		return nil, f.fault
	}
	return s.SignIn(ctx, login, in.Password)
}

func (r *Resolver) refreshSession(ctx context.Context, in model.RefreshSessionInput) (*session.Tokens, error) {
	s, err := r.signing()
	if err != nil {
		return nil, err
	}
	tokens, err := s.Refresh(ctx, in.RefreshToken)
	if replayed, ok := errors.AsType[*session.ReplayError](err); ok {
		afterFailure(ctx, replayed.End)
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
	f := form{path: "input"}
	after := f.password("newPassword", &in.NewPassword)
	if f.fault != nil {
		return nil, f.fault
	}
	id, at, err := s.ChangePassword(ctx, in.OldPassword, *after)
	if err != nil {
		return nil, err
	}
	beforeCommit(ctx, func() { r.Revocations.Add(id, at) })
	return userOf(id), nil
}

func userOf(id uuid.UUID) *model.User { return &model.User{ID: ids.ID{Prefix: "user", UUID: id}} }

// endSessions ends all that a user has of sessions and tokens, once the mutation m, which was saved, has stamped the user.
func (r *Resolver) endSessions(ctx context.Context, db *ent.Client, id uuid.UUID, m *ent.UserMutation) error {
	if err := session.End(ctx, db, id); err != nil {
		return err
	}
	at, _ := m.TokensValidAfter()
	beforeCommit(ctx, func() { r.Revocations.Add(id, at) })
	return nil
}

// beforeCommit has do called just before the operation is committed, if it is.
func beforeCommit(ctx context.Context, do func()) {
	a := ctx.Value(attemptKey{}).(*attempt)
	a.ready = append(a.ready, do)
}

// afterFailure has do called once the operation has failed for good and is rolled back, in a unit of work of its own.
func afterFailure(ctx context.Context, do func(context.Context) error) {
	a := ctx.Value(attemptKey{}).(*attempt)
	a.aftermath = append(a.aftermath, do)
}

// settle does what afterFailure was told. It does not depend on whether the client still waits.
func (a *attempt) settle(ctx context.Context) {
	if !a.failed.Load() {
		return
	}
	for _, do := range a.aftermath {
		if err := a.once(ctx, do); err != nil {
			a.log.ErrorContext(ctx, "what a failed operation calls for was not done", "operation", operationName(ctx), "error", err)
		}
	}
}

// once does something in a unit of work of its own, again while others are in the way.
func (a *attempt) once(ctx context.Context, do func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), retried)
	defer cancel()
	for n := 1; ; n++ {
		u := unit.New(a.db, unit.Write)
		err := do(unit.NewContext(ctx, u))
		if err == nil {
			err = u.Commit(ctx)
		}
		u.Rollback()
		if err == nil || !u.Transient() || n == writes || !pause(ctx, n) {
			return err
		}
	}
}
