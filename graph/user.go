package graph

import (
	"context"
	"crypto/sha256"
	"database/sql/driver"
	"errors"
	"fmt"
	"strings"

	"github.com/google/uuid"

	"forge/ent"
	"forge/ent/schema"
	"forge/graph/model"
	"forge/internal/account"
	"forge/internal/apperr"
	"forge/internal/database"
	"forge/internal/email"
	"forge/internal/gqlexec"
	"forge/internal/input"
	"forge/internal/onetime"
	"forge/internal/session"
	"forge/internal/unit"
	"forge/internal/viewer"
	"forge/internal/write"
)

// userWrites returns what is special of the standard mutations of users: usernames, emails and
// passwords have forms of their own, and some changes end the user's sessions.
func (r *Resolver) userWrites() write.Functions {
	return write.Functions{
		Fields: map[string]write.Check{
			"username": func(f *input.Form, name string, v any) any {
				return f.Username(name, v.(string), schema.UsernameLength)
			},
			"email": func(f *input.Form, name string, v any) any {
				if address := f.Email(name, new(v.(string)), schema.EmailLength); address != nil {
					return *address
				}
				return nil
			},
			"password": func(f *input.Form, name string, v any) any {
				f.Password(name, new(v.(string)))
				return v
			},
		},
		Before: r.beforeUser,
	}
}

// beforeUser is called before a user is written. Users may change themselves, but only
// administrators set a password here. If the change sets or removes a password, or sets isActive to
// false, and if it deletes the user, it also ends the user's sessions and revokes their tokens.
func (r *Resolver) beforeUser(ctx context.Context, w *write.Write) error {
	m := w.Mutation.Mutation.(*ent.UserMutation)
	admin := viewer.RoleOf(ctx) == viewer.Admin
	if w.Op == write.Delete && !admin {
		if err := r.mayDelete(ctx); err != nil {
			return err
		}
	}
	if secret, given := w.Value("password"); given {
		if !admin {
			return apperr.Forbidden("input.password", "one's own password is changed by changePassword, which asks for the old one")
		}
		if err := setPassword(ctx, m, secret != nil); err != nil {
			return err
		}
	}
	if !admin && w.Op == write.Update {
		w.OnError(inGeneral)
	}
	if address, given := w.Value("email"); w.Op == write.Update && given {
		if err := r.beforeEmail(ctx, w, address, admin); err != nil {
			return err
		}
	}
	if w.Op != write.Delete && (w.Op != write.Update || !endsTokens(m)) {
		return nil
	}
	if err := session.Holds(ctx, viewer.FromContext(ctx)); err != nil {
		return err
	}
	at, err := session.Stamp(ctx, Accounts{}, w.ID.UUID)
	if err != nil {
		return err
	}
	m.SetTokensValidAfter(at)
	w.After(func(ctx context.Context) error { return r.accounts().EndSessions(ctx, w.ID.UUID, at) })
	return nil
}

// beforeEmail is called before a user is given another email, or none. The new one is not proved,
// and what was sent to the one before is good no longer. An email that stays the same does not
// count as a change.
func (r *Resolver) beforeEmail(ctx context.Context, w *write.Write, address any, admin bool) error {
	before, err := mailboxOf(w.ToRead(ctx), w.ID.UUID)
	if err != nil || !before.there || address != nil && email.Same(address.(string), before.email) {
		return err
	}
	if err := r.mayChangeEmail(ctx, before, admin); err != nil {
		return err
	}
	w.Mutation.Mutation.(*ent.UserMutation).ClearEmailVerifiedAt()
	if before.proved {
		if err := r.Account.Notice(ctx, w.ID.UUID, account.NewEmail); err != nil {
			return err
		}
	}
	if before.hasTokens {
		w.After(func(ctx context.Context) error { return account.EndTokens(ctx, w.ID.UUID) })
	}
	return nil
}

// mailbox is what a change of a user's email depends on.
type mailbox struct {
	there, proved bool // there is such a user, who has proved the email
	email         string
	hasTokens     bool // there are tokens that mails have brought to the user
}

// mailboxOf returns the mailbox of a user.
func mailboxOf(ctx context.Context, id uuid.UUID) (m mailbox, err error) {
	u := unit.FromContext(ctx)
	err = u.Read(ctx, func(row []driver.Value) error {
		m = mailbox{there: true, proved: row[1] != nil, hasTokens: row[2] == true || row[2] == int64(1)} // SQLite has no booleans
		m.email, _ = row[0].(string)
		return nil
	}, "SELECT email, email_verified_at, "+onetime.Exists(u.Dialect(), "$2")+" FROM users WHERE id = $1 AND deleted_at IS NULL", []any{id, id[:]})
	if err != nil {
		return m, fmt.Errorf("read the email of a user: %w", err)
	}
	return m, nil
}

// mayDelete returns FORBIDDEN if the viewer's session is not fresh: with a token that was stolen, a
// user could be deleted whose name somebody else then takes. The tokens of a provider have no
// session here.
func (r *Resolver) mayDelete(ctx context.Context) error {
	if r.Sessions == nil || viewer.FromContext(ctx).Stranger {
		return nil
	}
	return r.Sessions.Fresh(ctx, "")
}

// mayChangeEmail returns an error if users change their email too often, or in a session that is
// not fresh, or if theirs is proved and mails can confirm the change.
func (r *Resolver) mayChangeEmail(ctx context.Context, before mailbox, admin bool) error {
	switch {
	case admin:
		return nil
	case before.proved && r.Account.Offers(account.Change):
		return apperr.Forbidden("input.email", "one's own email is changed by requestEmailChange, which has both addresses confirm it")
	case r.Sessions == nil:
		return nil
	}
	if err := r.Account.Fresh(ctx, "input.email"); err != nil {
		return err
	}
	_, err := gqlexec.Prepared(ctx)
	return err
}

// prepareUser does what updateUser needs before the operation has a database connection: it hashes
// a password, and counts a change of the viewer's own email, for which it may have to wait.
func (r *Resolver) prepareUser(ctx context.Context, arguments map[string]any) (any, error) {
	if err := r.countEmail(ctx, arguments); err != nil {
		return nil, err
	}
	return r.hashPassword(ctx, arguments)
}

// countEmail counts a change of the viewer's own email, unless it stays the same. It returns
// RATE_LIMITED after too many of them.
func (r *Resolver) countEmail(ctx context.Context, arguments map[string]any) error {
	in, _ := arguments["input"].(map[string]any)
	address, ok := in["email"].(string)
	if !ok || r.Sessions == nil || viewer.RoleOf(ctx) == viewer.Admin {
		return nil
	}
	return r.Sessions.ChangeEmail(ctx, viewer.FromContext(ctx).ID, address)
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

// setPassword sets the hash of the password, or takes it away.
func setPassword(ctx context.Context, m *ent.UserMutation, some bool) error {
	if !some {
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
