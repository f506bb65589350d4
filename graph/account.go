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
	"forge/internal/account"
	"forge/internal/application"
	"forge/internal/database"
	"forge/internal/email"
	"forge/internal/entity"
	"forge/internal/session"
	"forge/internal/unit"
	"forge/internal/username"
	"forge/internal/viewer"
)

// Accounts gives the framework access to the users, as the accounts that people sign in to.
type Accounts struct{}

var _ account.Accounts = Accounts{}

// Find returns the account of a user. It returns nil if there is no such user.
func (Accounts) Find(ctx context.Context, id uuid.UUID) (*session.Account, error) {
	return oneAccount(accounts(ctx, user.ID(id)).Only(ctx))
}

// Mailbox returns the account of a user with the email. It returns nil if there is no such user.
func (Accounts) Mailbox(ctx context.Context, id uuid.UUID) (*account.Account, error) {
	return oneMailbox(ctx, user.ID(id))
}

// FindMailbox returns the account of the user with this email. It returns nil if there is no such
// user.
func (Accounts) FindMailbox(ctx context.Context, address string) (*account.Account, error) {
	return oneMailbox(ctx, user.EmailKeyIn(email.Key(address), email.FormerKey(address)))
}

func oneMailbox(ctx context.Context, which predicate.User) (*account.Account, error) {
	u, err := ent.FromUnit(ctx).User.Query().Where(which).First(ctx)
	if u == nil || err != nil {
		return nil, ent.MaskNotFound(err)
	}
	a := &account.Account{Account: *accountOf(u)}
	if u.Email != nil {
		a.EmailKey = email.Key(*u.Email)
	}
	if u.EmailVerifiedAt != nil {
		a.Verified = *u.EmailVerifiedAt
	}
	if u.EraseAt != nil {
		a.EraseAt = *u.EraseAt
	}
	return a, nil
}

// SetEmail stores another email of a user, and when it was proved.
func (Accounts) SetEmail(ctx context.Context, id uuid.UUID, address string, verified time.Time) error {
	return inGeneral(ent.FromUnit(ctx).User.UpdateOneID(id).SetEmail(address).SetEmailVerifiedAt(verified).Exec(ctx))
}

// SetVerified stores when a user's email was proved.
func (Accounts) SetVerified(ctx context.Context, id uuid.UUID, at time.Time) error {
	return ent.FromUnit(ctx).User.UpdateOneID(id).SetEmailVerifiedAt(at).Exec(ctx)
}

// SetEraseAt stores when a user will be erased, or with the zero time that they will not.
func (Accounts) SetEraseAt(ctx context.Context, id uuid.UUID, at time.Time) error {
	if at.IsZero() {
		return ent.FromUnit(ctx).User.UpdateOneID(id).ClearEraseAt().Exec(ctx)
	}
	return ent.FromUnit(ctx).User.UpdateOneID(id).SetEraseAt(at).Exec(ctx)
}

// ToErase returns users that are to be erased by now, also deleted ones. An index finds the rows.
func (Accounts) ToErase(ctx context.Context, now time.Time, most int) ([]uuid.UUID, error) {
	return ent.FromUnit(ctx).User.Query().Where(user.EraseAtLTE(now)).Order(ent.Asc(user.FieldEraseAt)).Limit(most).IDs(entity.WithDeleted(ctx))
}

// SetPassword stores the hash of another password of a user, or of none, and as of when the user's
// tokens are ended.
func (Accounts) SetPassword(ctx context.Context, id uuid.UUID, hash string, validAfter time.Time) error {
	update := ent.FromUnit(ctx).User.UpdateOneID(id).SetTokensValidAfter(validAfter)
	if hash == "" {
		return update.ClearHashedPassword().Exec(ctx)
	}
	return update.SetHashedPassword(hash).Exec(ctx)
}

// FindLogin returns the account of the user with this username or email. If one user's email is
// another user's username, it returns the user with the email. A username that is stored exactly as
// given comes before one that only has the same normalized form. FindLogin returns nil if there is
// no such user.
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
				return accountOf(u), nil
			}
		}
	}
	for _, u := range found {
		if u.Username == login {
			return accountOf(u), nil
		}
	}
	return accountOf(found[0]), nil
}

// FindEmail returns the account of the user with an email, or nil if there is no such user.
func (Accounts) FindEmail(ctx context.Context, address string) (*session.Account, error) {
	found, err := oneAccount(accounts(ctx, user.EmailKey(email.Key(address))).Only(ctx))
	if found == nil && err == nil {
		return oneAccount(accounts(ctx, user.EmailKey(email.FormerKey(address))).Only(ctx))
	}
	return found, err
}

// Create stores a user without a password. If another user has the username, the new one gets it
// with a number behind it.
func (Accounts) Create(ctx context.Context, a session.NewAccount) (*session.Account, error) {
	name := username.Made(a.Username, schema.UsernameLength)
	taken, err := ent.FromUnit(ctx).User.Query().Where(user.Username(name)).Exist(ctx)
	if err != nil {
		return nil, err
	}
	if taken {
		name = username.Numbered(name, schema.UsernameLength)
	}
	add := ent.FromUnit(ctx).User.Create().SetUsername(name)
	if a.Email != "" {
		add.SetEmail(a.Email)
	}
	if a.EmailVerified {
		add.SetEmailVerifiedAt(time.Now().UTC())
	}
	u, err := add.Save(ctx)
	if err != nil {
		return nil, inGeneral(err)
	}
	return accountOf(u), nil
}

// LoginKey returns the same key for all spellings of a login. Emails have the same key whatever
// their case, and usernames in the normalized form in which they are stored. Whether a login is an
// email is seen in its key, by which FindLogin looks for it: the @ may be a fullwidth one, and what
// no username may have, such as a soft hyphen, may be in the domain.
func (Accounts) LoginKey(login string) string {
	if key := email.Key(login); strings.Contains(key, "@") {
		return key
	}
	return username.Same(login, schema.UsernameLength)
}

// Lock locks a user, even a deleted one, and returns the account, or nil if there is no such user.
// On SQLite the unit of work has already locked the whole database.
func (Accounts) Lock(ctx context.Context, id uuid.UUID) (*session.Account, error) {
	locked := func(s *sql.Selector) {
		if s.Dialect() == dialect.Postgres {
			s.ForUpdate(sql.WithLockClause("FOR NO KEY UPDATE"))
		}
	}
	return oneAccount(accounts(ctx, user.ID(id), locked).Only(entity.WithDeleted(ctx)))
}

// SetHash replaces the hash of a password, without a new version of the user.
func (Accounts) SetHash(ctx context.Context, id uuid.UUID, hash string) error {
	return setColumn(ctx, id, user.FieldHashedPassword, hash)
}

// ChangePassword replaces the hash of a password by that of another one. It returns false, and
// stores nothing, if the user is not active or has another hash by now.
func (Accounts) ChangePassword(ctx context.Context, id uuid.UUID, before, after string, validAfter time.Time) (bool, error) {
	n, err := ent.FromUnit(ctx).User.Update().Where(user.ID(id), user.IsActive(true), user.HashedPassword(before)).
		SetHashedPassword(after).SetTokensValidAfter(validAfter).Save(ctx)
	return n > 0, err
}

// Stamped returns the users whose tokens were ended after a time, with the time at which each
// user's were ended. An index finds the rows.
func (Accounts) Stamped(ctx context.Context, after time.Time) (map[uuid.UUID]time.Time, error) {
	found, err := ent.FromUnit(ctx).User.Query().Where(user.TokensValidAfterGT(after)).
		Select(user.FieldID, user.FieldTokensValidAfter).All(entity.WithDeleted(ctx))
	stamps := make(map[uuid.UUID]time.Time, len(found))
	for _, u := range found {
		stamps[u.ID] = *u.TokensValidAfter
	}
	return stamps, err
}

// accounts returns a query for the columns of users that an account is made of.
func accounts(ctx context.Context, which ...predicate.User) *ent.UserSelect {
	return ent.FromUnit(ctx).User.Query().Where(which...).Select(user.FieldID, user.FieldUsername, user.FieldEmail,
		user.FieldEmailKey, user.FieldHashedPassword, user.FieldRole, user.FieldIsActive, user.FieldDeletedAt, user.FieldTokensValidAfter, user.FieldEmailVerifiedAt)
}

// oneAccount returns the account of a user, or nil if err says that there is no such user.
func oneAccount(u *ent.User, err error) (*session.Account, error) {
	if ent.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return accountOf(u), nil
}

// accountOf returns the account of a user that was read with accounts or just stored.
func accountOf(u *ent.User) *session.Account {
	role, _ := viewer.ParseRole(string(u.Role))
	a := &session.Account{ID: u.ID, Name: u.Username, Role: role, Active: u.IsActive && u.DeletedAt == nil,
		EmailVerified: u.Email != nil && u.EmailVerifiedAt != nil,
		Renew:         func(ctx context.Context) error { return renewKey(ctx, u) }}
	if u.Email != nil {
		a.Email = *u.Email
	}
	if u.HashedPassword != nil {
		a.Hash = *u.HashedPassword
	}
	if u.TokensValidAfter != nil {
		a.ValidAfter = *u.TokensValidAfter
	}
	return a
}

// renewKey replaces a key that email.FormerKey has made by the one that email.Key makes, unless
// another user has the new key by now. It does not make a new version of the user.
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

// setColumn sets one column of a user, without a new version of the user.
func setColumn(ctx context.Context, id uuid.UUID, column, value string) error {
	u := unit.FromContext(ctx)
	statement, args := sql.Dialect(u.Dialect()).Update(user.Table).
		Set(column, value).Where(sql.EQ(user.FieldID, id)).Query()
	_, err := u.Exec(ctx, statement, args...)
	return err
}

// setRole gives a role to the user with a username. It ends the user's sessions and tokens, because
// tokens contain the old role. It returns application.ErrNoAccount if there is no such user.
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
