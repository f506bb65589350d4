package session

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"entgo.io/ent/dialect/sql"
	"github.com/google/uuid"

	"forge/ent"
	"forge/ent/predicate"
	"forge/ent/schema"
	"forge/ent/user"
	"forge/internal/apperr"
	"forge/internal/clientip"
	"forge/internal/database"
	"forge/internal/email"
	"forge/internal/telemetry"
	"forge/internal/unit"
	"forge/internal/username"
)

// errSignIn is the same whatever is wrong, so that it does not reveal which logins exist.
var errSignIn = &apperr.Error{
	Code:    apperr.CodeUnauthenticated,
	Message: "the login or the password is wrong, or the user may not sign in",
}

// LoginTaken returns a CONFLICT about a username or an email that somebody else has. It does not
// say which of them, because emails are private.
func LoginTaken() *apperr.Error {
	return apperr.Conflict("", "the username or the email is taken")
}

// Account is a new user. The caller has validated it. No two users have the same EmailKey.
type Account struct {
	Username        string
	Email, EmailKey *string
	Password        string
}

// SignUp stores a user and begins a session. If the username or the email is taken, the error is
// LoginTaken.
func (s *Sessions) SignUp(ctx context.Context, a Account) (*Tokens, error) {
	hash, err := s.passwords.Hash(ctx, a.Password)
	if err != nil {
		return nil, err
	}
	u, err := ent.FromUnit(ctx).User.Create().SetUsername(a.Username).SetNillableEmail(a.Email).
		SetNillableEmailKey(a.EmailKey).SetHashedPassword(hash).Save(system(ctx))
	if v, ok := database.Violation(err); ok && v.Rule == database.Unique {
		return nil, LoginTaken()
	}
	if err != nil {
		return nil, fmt.Errorf("sign a user up: %w", err)
	}
	return s.grant(ctx, u, uuid.New(), newToken())
}

// SignIn begins a session for the user with the given username or email. Whatever is wrong, it
// takes one look-up and one hash, and returns the same UNAUTHENTICATED, or RATE_LIMITED after too
// many failures. Its time differs only for a user whose hash has an outdated cost, until their next
// sign-in.
func (s *Sessions) SignIn(ctx context.Context, login, password string) (*Tokens, error) {
	key := about("sign in", sameLogin(login), clientip.Network(clientip.Address(ctx, s.proxies)).String())
	var u *ent.User
	err := s.guarded(key, func() (ok bool, err error) {
		if u, err = s.byLogin(ctx, login); err != nil {
			return false, err
		}
		return s.verify(ctx, u, password)
	})
	switch {
	case errors.Is(err, errWrong):
		return nil, errSignIn
	case err != nil:
		return nil, recorded(ctx, err)
	}
	fresh := s.rehash(ctx, u, password)
	now, err := lock(ctx, ent.FromUnit(ctx), u.ID)
	switch {
	case ent.IsNotFound(err):
		return nil, errSignIn
	case err != nil:
		return nil, fmt.Errorf("lock a user: %w", err)
	case !now.IsActive || now.DeletedAt != nil || now.HashedPassword == nil || *now.HashedPassword != *u.HashedPassword:
		return nil, errSignIn // changed since it was verified
	}
	if fresh != "" {
		if err := replaceHash(ctx, u.ID, fresh); err != nil {
			return nil, err
		}
	}
	if err := renewKey(ctx, u); err != nil {
		return nil, err
	}
	if err := makeRoom(ctx, ent.FromUnit(ctx), now.ID); err != nil {
		return nil, err
	}
	return s.grant(ctx, now, uuid.New(), newToken())
}

// sameLogin returns a form of the login that is the same for all logins of one user, to count
// failures by. Emails are compared regardless of case, usernames are not.
func sameLogin(login string) string {
	name := username.Same(login, schema.UsernameLength)
	if strings.Contains(name, "@") {
		return email.Key(login)
	}
	return name
}

// byLogin returns the user of a login, or nil. One user's email may be another's username: then the
// email decides. A username that is stored exactly as given comes before one in normalized form.
func (s *Sessions) byLogin(ctx context.Context, login string) (*ent.User, error) {
	keys := []string{email.Key(login), email.FormerKey(login)}
	found, err := s.look(ctx, user.Or(user.UsernameIn(login, username.Same(login, schema.UsernameLength)), user.EmailKeyIn(keys...)))
	if len(found) == 0 {
		return nil, err
	}
	for _, key := range keys {
		for _, u := range found {
			if u.EmailKey != nil && *u.EmailKey == key {
				return u, nil
			}
		}
	}
	for _, u := range found {
		if u.Username == login {
			return u, nil
		}
	}
	return found[0], nil
}

// look reads the columns of users that password checks need. It uses a unit of work of its own, so
// that no connection is held when it returns.
func (s *Sessions) look(ctx context.Context, which predicate.User) ([]*ent.User, error) {
	u := unit.New(s.db, unit.Single)
	defer u.Rollback()
	found, err := ent.UnitClient(u).User.Query().Where(which).
		Select(user.FieldID, user.FieldUsername, user.FieldEmail, user.FieldEmailKey,
			user.FieldHashedPassword, user.FieldIsActive, user.FieldTokensValidAfter).
		All(system(ctx))
	if err != nil {
		return nil, fmt.Errorf("look for a user: %w", err)
	}
	return found, nil
}

// verify reports whether the password is right and the user may sign in. It makes one hash in any
// case, also if u is nil.
func (s *Sessions) verify(ctx context.Context, u *ent.User, password string) (bool, error) {
	if u == nil || u.HashedPassword == nil || !u.IsActive {
		return false, s.passwords.Pretend(ctx, password)
	}
	return s.passwords.Verify(ctx, password, *u.HashedPassword)
}

// rehash returns a hash of the current cost if the user's hash has another cost, and "" otherwise.
// It also returns "" if the hash cannot be made now: the next sign-in tries again.
func (s *Sessions) rehash(ctx context.Context, u *ent.User, password string) string {
	if !s.passwords.Stale(*u.HashedPassword) {
		return ""
	}
	hash, _ := s.passwords.Hash(ctx, password)
	return hash
}

// replaceHash stores another hash of the same password. The user's version stays as it is.
func replaceHash(ctx context.Context, id uuid.UUID, hash string) error {
	u := unit.FromContext(ctx)
	statement, args := sql.Dialect(u.Dialect()).Update(user.Table).
		Set(user.FieldHashedPassword, hash).Where(sql.EQ(user.FieldID, id)).Query()
	if _, err := u.Exec(ctx, statement, args...); err != nil {
		return fmt.Errorf("replace a hash: %w", err)
	}
	return nil
}

// renewKey replaces a key made by email.FormerKey with that of email.Key, unless another user has
// the new key by now. The user's version stays as it is.
func renewKey(ctx context.Context, who *ent.User) error {
	if who.Email == nil || *who.EmailKey == email.Key(*who.Email) {
		return nil
	}
	u := unit.FromContext(ctx)
	statement, args := sql.Dialect(u.Dialect()).Update(user.Table).
		Set(user.FieldEmailKey, email.Key(*who.Email)).Where(sql.EQ(user.FieldID, who.ID)).Query()
	err := u.Savepoint(ctx, func() error {
		_, err := u.Exec(ctx, statement, args...)
		return err
	})
	if v, ok := database.Violation(err); ok && v.Rule == database.Unique {
		return nil
	}
	if err != nil {
		return fmt.Errorf("renew the key of an email: %w", err)
	}
	return nil
}

// recorded returns err. If it is RATE_LIMITED, the request's log record says that guessing was
// refused.
func recorded(ctx context.Context, err error) error {
	if f, ok := errors.AsType[*apperr.Error](err); ok && f.Code == apperr.CodeRateLimited {
		telemetry.FromContext(ctx).Refuse(telemetry.Guessing)
	}
	return err
}

var errWrong = errors.New("the password is wrong")

// guarded calls try, which reports whether a password is right. It returns errWrong if the password
// is wrong, and RATE_LIMITED without a call after too many failures with this key.
func (s *Sessions) guarded(key throttleKey, try func() (bool, error)) error {
	a, err := s.throttle.begin(key)
	if err != nil {
		return err
	}
	end := a.undecided
	defer func() { end() }()
	ok, err := try()
	switch {
	case err != nil:
		return err
	case !ok:
		end = a.failed
		return errWrong
	}
	end = a.succeeded
	return nil
}
