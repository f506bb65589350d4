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

// errSignIn says the same whatever is wrong.
var errSignIn = &apperr.Error{Code: apperr.CodeUnauthenticated, Message: "the login or the password is wrong, or the user may not sign in"}

// Account is somebody new. All of it was checked; EmailKey is what the email is unique by.
type Account struct {
	Username        string
	Email, EmailKey *string
	Password        string
}

// SignUp stores a user and begins a session. If the username or the email is taken, the error is a CONFLICT that does not say which.
func (s *Sessions) SignUp(ctx context.Context, a Account) (*Tokens, error) {
	hash, err := s.passwords.Hash(ctx, a.Password)
	if err != nil {
		return nil, err
	}
	u, err := unit.Client(ctx).User.Create().SetUsername(a.Username).SetNillableEmail(a.Email).SetNillableEmailKey(a.EmailKey).
		SetHashedPassword(hash).Save(system(ctx))
	if v, ok := database.Violation(err); ok && v.Rule == database.Unique {
		return nil, apperr.LoginTaken()
	}
	if err != nil {
		return nil, fmt.Errorf("sign a user up: %w", err)
	}
	return s.grant(ctx, u, uuid.New(), newToken())
}

// SignIn begins a session of the user whose username or email login is. Whatever is wrong, it costs one look-up and one hash, and the error is the same
// UNAUTHENTICATED, or RATE_LIMITED after too many failures. Only a user whose hash has another cost than new ones can be told by the time, until they
// sign in the next time.
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
		return nil, noted(ctx, err)
	}
	fresh := s.fresher(ctx, u, password)
	now, err := lock(ctx, unit.Client(ctx), u.ID)
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
	if err := makeRoom(ctx, unit.Client(ctx), now.ID); err != nil {
		return nil, err
	}
	return s.grant(ctx, now, uuid.New(), newToken())
}

// sameLogin returns what logins have in common that lead to one user: case makes none of an email, but another username, and a username has many forms.
func sameLogin(login string) string {
	name := username.Same(login, schema.UsernameLength)
	if strings.Contains(name, "@") {
		return email.Key(login)
	}
	return name
}

// byLogin returns the user of a login, or nil. An email counts more than a username: it can be another user's. A username as it was written counts more than in
// the form in which new ones are stored.
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

// look reads what is needed of users to verify a password, in a unit of its own: no connection is held when it returns.
func (s *Sessions) look(ctx context.Context, which predicate.User) ([]*ent.User, error) {
	u := unit.New(s.db, unit.Single)
	defer u.Rollback()
	found, err := u.Client().User.Query().Where(which).
		Select(user.FieldID, user.FieldUsername, user.FieldEmail, user.FieldEmailKey, user.FieldHashedPassword, user.FieldIsActive, user.FieldTokensValidAfter).All(system(ctx))
	if err != nil {
		return nil, fmt.Errorf("look for a user: %w", err)
	}
	return found, nil
}

// verify reports whether the password is that of a user who may sign in. It makes one hash in any case.
func (s *Sessions) verify(ctx context.Context, u *ent.User, password string) (bool, error) {
	if u == nil || u.HashedPassword == nil || !u.IsActive {
		return false, s.passwords.Pretend(ctx, password)
	}
	return s.passwords.Verify(ctx, password, *u.HashedPassword)
}

// fresher returns a hash of the present cost if the user's has another, or else nothing. There will be another time to do it if it cannot be made.
func (s *Sessions) fresher(ctx context.Context, u *ent.User, password string) string {
	if !s.passwords.Stale(*u.HashedPassword) {
		return ""
	}
	hash, _ := s.passwords.Hash(ctx, password)
	return hash
}

// replaceHash stores another hash of the same password. It is no change of the user, whose version stays.
func replaceHash(ctx context.Context, id uuid.UUID, hash string) error {
	u := unit.FromContext(ctx)
	statement, args := sql.Dialect(u.Dialect()).Update(user.Table).Set(user.FieldHashedPassword, hash).Where(sql.EQ(user.FieldID, id)).Query()
	if _, err := u.Exec(ctx, statement, args...); err != nil {
		return fmt.Errorf("replace a hash: %w", err)
	}
	return nil
}

// renewKey stores the key of the user's email if it is still the former one. One that somebody else has by now stays. It is no
// change of the user, whose version stays.
func renewKey(ctx context.Context, who *ent.User) error {
	if who.Email == nil || *who.EmailKey == email.Key(*who.Email) {
		return nil
	}
	u := unit.FromContext(ctx)
	statement, args := sql.Dialect(u.Dialect()).Update(user.Table).Set(user.FieldEmailKey, email.Key(*who.Email)).
		Where(sql.EQ(user.FieldID, who.ID)).Query()
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

// noted has the record of the request say so if the error turns guessing away.
func noted(ctx context.Context, err error) error {
	if f, ok := errors.AsType[*apperr.Error](err); ok && f.Code == apperr.CodeRateLimited {
		telemetry.FromContext(ctx).Refuse(telemetry.Guessing)
	}
	return err
}

var errWrong = errors.New("the password is wrong")

// guarded returns errWrong if try says that a password is wrong, or refuses to try after too many failures.
func (s *Sessions) guarded(key throttleKey, try func() (bool, error)) error {
	a, err := s.throttle.enter(key)
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
