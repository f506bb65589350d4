package graph

import (
	"context"
	"fmt"
	"strings"
	"time"

	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/sql"
	"github.com/google/uuid"

	"forge/ent"
	"forge/ent/predicate"
	"forge/ent/schema"
	"forge/ent/user"
	"forge/internal/application"
	"forge/internal/database"
	"forge/internal/email"
	"forge/internal/entity"
	"forge/internal/session"
	"forge/internal/unit"
	"forge/internal/username"
	"forge/internal/viewer"
)

// Accounts are the users, as those who sign in.
type Accounts struct{}

var _ session.Accounts = Accounts{}

// Find returns the account of a user.
func (Accounts) Find(ctx context.Context, id uuid.UUID) (*session.Account, error) {
	return oneAccount(accounts(ctx, user.ID(id)).Only(ctx))
}

// FindLogin returns the account of the user with a username or an email. One user's email may be
// another's username: then the email decides. A username that is stored exactly as given comes
// before one in normalized form.
func (Accounts) FindLogin(ctx context.Context, login string) (*session.Account, error) {
	keys := []string{email.Key(login), email.FormerKey(login)}
	found, err := accounts(ctx, user.Or(
		user.UsernameIn(login, username.Same(login, schema.UsernameLength)), user.EmailKeyIn(keys...))).All(ctx)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	for _, key := range keys {
		for _, u := range found {
			if u.EmailKey != nil && *u.EmailKey == key {
				return account(u), nil
			}
		}
	}
	for _, u := range found {
		if u.Username == login {
			return account(u), nil
		}
	}
	return account(found[0]), nil
}

// LoginKey compares emails regardless of case, and usernames with it.
func (Accounts) LoginKey(login string) string {
	name := username.Same(login, schema.UsernameLength)
	if strings.Contains(name, "@") {
		return email.Key(login)
	}
	return name
}

// Lock locks a user, even a deleted one. On SQLite the unit of work has locked the whole database.
func (Accounts) Lock(ctx context.Context, id uuid.UUID) (*session.Account, error) {
	locked := func(s *sql.Selector) {
		if s.Dialect() == dialect.Postgres {
			s.ForUpdate(sql.WithLockClause("FOR NO KEY UPDATE"))
		}
	}
	return oneAccount(accounts(ctx, user.ID(id), locked).Only(entity.WithDeleted(ctx)))
}

// SetHash replaces the hash of a password. The user's version stays as it is.
func (Accounts) SetHash(ctx context.Context, id uuid.UUID, hash string) error {
	return setColumn(ctx, id, user.FieldHashedPassword, hash)
}

// ChangePassword replaces the hash of a password by that of another one.
func (Accounts) ChangePassword(ctx context.Context, id uuid.UUID, before, after string, validAfter time.Time) (bool, error) {
	n, err := ent.FromUnit(ctx).User.Update().Where(user.ID(id), user.IsActive(true), user.HashedPassword(before)).
		SetHashedPassword(after).SetTokensValidAfter(validAfter).Save(ctx)
	return n > 0, err
}

// Stamped returns the users whose tokens were ended after a time. An index finds them.
func (Accounts) Stamped(ctx context.Context, after time.Time) (map[uuid.UUID]time.Time, error) {
	found, err := ent.FromUnit(ctx).User.Query().Where(user.TokensValidAfterGT(after)).
		Select(user.FieldID, user.FieldTokensValidAfter).All(entity.WithDeleted(ctx))
	stamps := make(map[uuid.UUID]time.Time, len(found))
	for _, u := range found {
		stamps[u.ID] = *u.TokensValidAfter
	}
	return stamps, err
}

// accounts returns a query for the columns of accounts.
func accounts(ctx context.Context, which ...predicate.User) *ent.UserSelect {
	return ent.FromUnit(ctx).User.Query().Where(which...).Select(user.FieldID, user.FieldUsername, user.FieldEmail,
		user.FieldEmailKey, user.FieldHashedPassword, user.FieldRole, user.FieldIsActive, user.FieldDeletedAt, user.FieldTokensValidAfter)
}

// oneAccount returns the account of a user, or nil if err says that there is no such user.
func oneAccount(u *ent.User, err error) (*session.Account, error) {
	if ent.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return account(u), nil
}

// account returns the account of a user.
func account(u *ent.User) *session.Account {
	role, _ := viewer.ParseRole(string(u.Role))
	a := &session.Account{ID: u.ID, Role: role, Active: u.IsActive && u.DeletedAt == nil,
		Renew: func(ctx context.Context) error { return renewKey(ctx, u) }}
	if u.HashedPassword != nil {
		a.Hash = *u.HashedPassword
	}
	if u.TokensValidAfter != nil {
		a.ValidAfter = *u.TokensValidAfter
	}
	return a
}

// renewKey replaces a key made by email.FormerKey with that of email.Key, unless another user has
// the new key by now. The user's version stays as it is.
func renewKey(ctx context.Context, u *ent.User) error {
	if u.Email == nil || *u.EmailKey == email.Key(*u.Email) {
		return nil
	}
	err := unit.FromContext(ctx).Savepoint(ctx, func() error {
		return setColumn(ctx, u.ID, user.FieldEmailKey, email.Key(*u.Email))
	})
	if v, ok := database.Violation(err); ok && v.Rule == database.Unique {
		return nil
	}
	if err != nil {
		return fmt.Errorf("renew the key of an email: %w", err)
	}
	return nil
}

// setColumn sets one column of a user, and leaves the version as it is.
func setColumn(ctx context.Context, id uuid.UUID, column, value string) error {
	u := unit.FromContext(ctx)
	statement, args := sql.Dialect(u.Dialect()).Update(user.Table).
		Set(column, value).Where(sql.EQ(user.FieldID, id)).Query()
	_, err := u.Exec(ctx, statement, args...)
	return err
}

// setRole gives a user a role. The user's tokens say the old role, so they are ended.
func setRole(ctx context.Context, db *database.DB, username string, role viewer.Role) error {
	u := unit.New(db, unit.Write)
	defer u.Rollback()
	ctx = viewer.NewContext(unit.NewContext(ctx, u), viewer.System)
	found, err := ent.FromUnit(ctx).User.Query().Where(user.Username(username)).Select(user.FieldID).Only(ctx)
	if ent.IsNotFound(err) {
		return application.ErrNoAccount
	}
	if err != nil {
		return err
	}
	at, err := session.Stamp(ctx, Accounts{}, found.ID)
	if err != nil {
		return err
	}
	if err := ent.FromUnit(ctx).User.UpdateOneID(found.ID).SetRole(user.Role(role.String())).SetTokensValidAfter(at).Exec(ctx); err != nil {
		return err
	}
	if err := session.End(ctx, found.ID); err != nil {
		return err
	}
	return u.Commit(ctx)
}
