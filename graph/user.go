package graph

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/google/uuid"

	"forge/ent"
	"forge/ent/schema"
	"forge/ent/user"
	"forge/graph/model"
	"forge/internal/apperr"
	"forge/internal/database"
	"forge/internal/email"
	"forge/internal/entity"
	"forge/internal/gqlexec"
	"forge/internal/ids"
	"forge/internal/input"
	"forge/internal/read"
	"forge/internal/session"
	"forge/internal/viewer"
)

// createUser checks the input for a new user, and stores the user.
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

// updateUser changes a user. Users may change themselves, but only administrators set a password
// here.
func (r *Resolver) updateUser(ctx context.Context, db *ent.Client, t input.Target, in model.UpdateUserInput) error {
	if err := input.WantPrefix("id", t.ID, "user"); err != nil {
		return err
	}
	if in.Password.IsSet() && viewer.RoleOf(ctx) != viewer.Admin {
		return apperr.Forbidden("input.password", "one's own password is changed by changePassword, which asks for the old one")
	}
	if err := r.mayChangeEmail(ctx, db, in.Email.Value()); err != nil {
		return err
	}
	update := db.User.Update().Where(t.Is)
	if err := setUser(ctx, update.Mutation(), in); err != nil {
		return err
	}
	err := r.saveUser(ctx, db, t, update)
	if viewer.RoleOf(ctx) != viewer.Admin {
		return inGeneral(err)
	}
	return err
}

// mayChangeEmail returns an error if a user changes their email too often. An email that stays the
// same does not count as a change. Administrators may change emails as often as they like.
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

// saveUser saves a change of a user. If the change sets or removes a password, or sets isActive to
// false, saveUser also ends the user's sessions and revokes their tokens.
func (r *Resolver) saveUser(ctx context.Context, db *ent.Client, t input.Target, update *ent.UserUpdate) error {
	m := update.Mutation()
	if !endsTokens(m) {
		return t.Update(ctx, m, update.Save, userVersion(db, t.ID))
	}
	at, err := session.Stamp(ctx, Accounts{}, t.ID.UUID)
	if err != nil {
		return err
	}
	m.SetTokensValidAfter(at)
	n, err := update.Save(read.WithReturning(ctx))
	if err := t.Changed(ctx, n, err, userVersion(db, t.ID)); err != nil {
		return err
	}
	return r.endSessions(ctx, t.ID.UUID, m)
}

// inGeneral replaces the error about a value that another user has. The new error does not name the
// value, so that nobody can find out which emails are in use.
func inGeneral(err error) error {
	if v, ok := database.Violation(err); ok && v.Rule == database.Unique {
		return apperr.Conflict("", "the username or the email is taken")
	}
	return err
}

// endsTokens reports whether a change of a user must end the user's sessions and revoke their
// tokens.
func endsTokens(m *ent.UserMutation) bool {
	_, changed := m.HashedPassword()
	active, said := m.IsActive()
	return changed || m.HashedPasswordCleared() || said && !active
}

// setUser checks the input, and sets the fields of the mutation.
func setUser(ctx context.Context, m *ent.UserMutation, in model.UpdateUserInput) error {
	f := input.Form{Path: "input"}
	if name, ok := input.Value(&f, "username", in.Username); ok {
		m.SetUsername(f.Username("username", name, schema.UsernameLength))
	}
	if given, ok := in.Email.ValueOK(); ok {
		input.SetOrClear(f.Email("email", given, schema.EmailLength), m.SetEmail, m.ClearEmail)
	}
	if active, ok := input.Value(&f, "isActive", in.IsActive); ok {
		m.SetIsActive(active)
	}
	secret, ok := in.Password.ValueOK()
	secret = f.Password("password", secret)
	if f.Err() != nil {
		return f.Err()
	}
	if ok {
		return setPassword(ctx, m, secret)
	}
	return nil
}

// setPassword sets the hash of a password. If secret is nil, the user gets no password.
func setPassword(ctx context.Context, m *ent.UserMutation, secret *string) error {
	if secret == nil {
		m.ClearHashedPassword()
		return nil
	}
	prepared, err := gqlexec.Prepared(ctx)
	if err != nil {
		return err
	}
	hash, ok := prepared.(string)
	if !ok {
		return errors.New("a password is to be set that was not hashed before the operation")
	}
	m.SetHashedPassword(hash)
	return nil
}

// hashPassword hashes the password that createUser or updateUser will set. It runs before the
// operation has a database connection, because a hash takes tens of milliseconds and may have to
// wait for its turn. It returns nil if there is no password, or if the password will be refused.
func (r *Resolver) hashPassword(ctx context.Context, arguments map[string]any) (any, error) {
	in, _ := arguments["input"].(map[string]any)
	secret, ok := in["password"].(string)
	if !ok || viewer.RoleOf(ctx) != viewer.Admin {
		return nil, nil // only administrators set passwords here
	}
	if f := new(input.Form); f.Password("password", &secret) == nil || f.Err() != nil {
		return nil, nil
	}
	return r.Passwords.Hash(ctx, secret)
}

// deleteUser hides a user, ends their sessions and revokes their tokens. The row remains, but other
// users may take its username and email.
func (r *Resolver) deleteUser(ctx context.Context, db *ent.Client, t input.Target) error {
	if err := input.WantPrefix("id", t.ID, "user"); err != nil {
		return err
	}
	at, err := session.Stamp(ctx, Accounts{}, t.ID.UUID)
	if err != nil {
		return err
	}
	update := db.User.Update().Where(t.Is).SetDeletedAt(at).SetTokensValidAfter(at)
	n, err := update.Save(ctx)
	if err := t.Changed(ctx, n, err, userVersion(db, t.ID)); err != nil {
		return err
	}
	return r.endSessions(ctx, t.ID.UUID, update.Mutation())
}

// restoreUser makes a deleted user visible again. It does not restore their sessions.
func restoreUser(ctx context.Context, db *ent.Client, id ids.ID) error {
	if err := input.WantPrefix("id", id, "user"); err != nil {
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
	if err := (input.Target{ID: id}).Check(ctx, userVersion(db, id)); err != nil {
		return err
	}
	return apperr.Conflict("id", "%s is not deleted", id)
}

func userVersion(db *ent.Client, id ids.ID) input.Versions {
	return db.User.Query().Where(user.ID(id.UUID)).Select(user.FieldVersion).Ints
}

// signedIn returns a reference to the viewer. It returns nil if the viewer has no ID.
func signedIn(ctx context.Context) *model.User {
	id := viewer.FromContext(ctx).ID
	if id == uuid.Nil {
		return nil
	}
	return &model.User{ID: (&ent.User{ID: id}).GlobalID()}
}

// gravatarURL returns where Gravatar has a picture for an email, or nil if there is no email.
func gravatarURL(email *string, size int32) (*string, error) {
	if size < 1 || size > 2048 {
		return nil, apperr.BadInput("size", "size is %d; from 1 to 2048 is allowed", size)
	}
	if email == nil {
		return nil, nil
	}
	sum := sha256.Sum256([]byte(strings.ToLower(*email)))
	return new(fmt.Sprintf("https://gravatar.com/avatar/%x?d=identicon&s=%d", sum, size)), nil
}
