package graph

import (
	"context"
	"fmt"
	"strings"

	"github.com/99designs/gqlgen/graphql"

	"forge/ent"
	"forge/ent/user"
	"forge/graph/model"
	"forge/internal/apperr"
	"forge/internal/database"
	"forge/internal/email"
	"forge/internal/entity"
	"forge/internal/ids"
	"forge/internal/read"
	"forge/internal/session"
	"forge/internal/viewer"
)

func createUser(ctx context.Context, db *ent.Client, in model.CreateUserInput) (*ent.User, error) {
	create := db.User.Create()
	err := setUser(ctx, create.Mutation(), model.UpdateUserInput{
		Username: graphql.OmittableOf(&in.Username),
		Email:    in.Email,
		Password: in.Password,
		IsActive: graphql.OmittableOf(&in.IsActive),
	})
	if err != nil {
		return nil, err
	}
	u, err := create.Save(read.WithFinalWrite(ctx))
	if err != nil {
		return nil, fmt.Errorf("create a user: %w", err)
	}
	return u, nil
}

// updateUser changes a user.
func (r *Resolver) updateUser(ctx context.Context, db *ent.Client, t target, in model.UpdateUserInput) error {
	if err := wantPrefix("id", t.id, "user"); err != nil {
		return err
	}
	if in.Password.IsSet() && viewer.RoleOf(ctx) != viewer.Admin {
		return apperr.Forbidden("input.password", "one's own password is changed by changePassword, which asks for the old one")
	}
	if err := r.mayChangeEmail(ctx, db, in.Email.Value()); err != nil {
		return err
	}
	update := db.User.Update().Where(t.is)
	if err := setUser(ctx, update.Mutation(), in); err != nil {
		return err
	}
	err := r.saveUser(ctx, db, t, update)
	if viewer.RoleOf(ctx) != viewer.Admin {
		return inGeneral(err)
	}
	return err
}

// mayChangeEmail counts that those who are no administrators change their own email, and refuses what is too often. To say again what it is changes nothing.
func (r *Resolver) mayChangeEmail(ctx context.Context, db *ent.Client, address *string) error {
	v := viewer.FromContext(ctx)
	if v.Role == viewer.Admin || address == nil || r.Sessions == nil {
		return nil
	}
	same, err := db.User.Query().Where(user.ID(v.ID), user.EmailKey(email.Key(strings.TrimSpace(*address)))).Exist(ctx)
	if err != nil || same {
		return err
	}
	return r.Sessions.ChangeEmail(ctx, v.ID)
}

// saveUser saves the change. What keeps the user from going on as they are signed in, another password or isActive: false, ends their sessions and tokens.
func (r *Resolver) saveUser(ctx context.Context, db *ent.Client, t target, update *ent.UserUpdate) error {
	m := update.Mutation()
	if !endsTokens(m) {
		return t.update(ctx, m, update.Save, userVersion(db, t.id))
	}
	at, err := session.Stamp(ctx, t.id.UUID)
	if err != nil {
		return err
	}
	m.SetTokensValidAfter(at)
	n, err := update.Save(read.WithReturning(ctx))
	if err := t.changed(ctx, n, err, userVersion(db, t.id)); err != nil {
		return err
	}
	return r.endSessions(ctx, db, t.id.UUID, m)
}

// inGeneral makes of the refusal of a value that somebody else has a CONFLICT that does not tell which: emails are not for everybody to know.
func inGeneral(err error) error {
	if v, ok := database.Violation(err); ok && v.Rule == database.Unique {
		return session.LoginTaken()
	}
	return err
}

// endsTokens reports whether a change of a user ends what they have of sessions and tokens.
func endsTokens(m *ent.UserMutation) bool {
	_, changed := m.HashedPassword()
	active, said := m.IsActive()
	return changed || m.HashedPasswordCleared() || said && !active
}

// setUser checks the input and makes of it what is to be stored.
func setUser(ctx context.Context, m *ent.UserMutation, in model.UpdateUserInput) error {
	f := form{path: "input"}
	if name, ok := given(&f, "username", in.Username); ok {
		m.SetUsername(f.username("username", name))
	}
	if given, ok := in.Email.ValueOK(); ok {
		address, key := f.email("email", given)
		setOrClear(address, m.SetEmail, m.ClearEmail)
		setOrClear(key, m.SetEmailKey, m.ClearEmailKey)
	}
	if active, ok := given(&f, "isActive", in.IsActive); ok {
		m.SetIsActive(active)
	}
	secret, ok := in.Password.ValueOK()
	secret = f.password("password", secret)
	if f.fault != nil {
		return f.fault
	}
	if ok {
		return setPassword(ctx, m, secret)
	}
	return nil
}

func setPassword(ctx context.Context, m *ent.UserMutation, secret *string) error {
	if secret == nil {
		m.ClearHashedPassword()
		return nil
	}
	hash, err := hashOf(ctx)
	if err != nil {
		return err
	}
	m.SetHashedPassword(hash)
	return nil
}

// deleteUser hides a user, and ends their sessions and tokens. The row stays, and gives way to others with its username and email.
func (r *Resolver) deleteUser(ctx context.Context, db *ent.Client, t target) error {
	if err := wantPrefix("id", t.id, "user"); err != nil {
		return err
	}
	at, err := session.Stamp(ctx, t.id.UUID)
	if err != nil {
		return err
	}
	update := db.User.Update().Where(t.is).SetDeletedAt(at).SetTokensValidAfter(at)
	n, err := update.Save(ctx)
	if err := t.changed(ctx, n, err, userVersion(db, t.id)); err != nil {
		return err
	}
	return r.endSessions(ctx, db, t.id.UUID, update.Mutation())
}

// restoreUser brings a user back, but none of their sessions.
func restoreUser(ctx context.Context, db *ent.Client, id ids.ID) error {
	if err := wantPrefix("id", id, "user"); err != nil {
		return err
	}
	ctx = entity.WithDeleted(ctx)
	n, err := db.User.Update().Where(user.ID(id.UUID), user.DeletedAtNotNil()).ClearDeletedAt().Save(read.WithFinalWrite(ctx))
	if err != nil {
		return fmt.Errorf("restore %s: %w", id, err)
	}
	if n > 0 {
		return nil
	}
	if err := (target{id: id}).check(ctx, userVersion(db, id)); err != nil {
		return err
	}
	return apperr.Conflict("id", "%s is not deleted", id)
}

func userVersion(db *ent.Client, id ids.ID) func(context.Context) (int, error) {
	return db.User.Query().Where(user.ID(id.UUID)).Select(user.FieldVersion).Int
}
