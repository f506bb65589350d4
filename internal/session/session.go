// Package session signs people up, in and out.
//
// An access token is not stored and lives for minutes. A refresh token is stored, hashed, and is good once: it is exchanged for the next of its
// family. One that comes back was stolen, or its successor was, so the whole family ends; unless it comes back at once from the same client, as
// when several tabs refresh at the same moment, or an answer was lost. That client gets the same tokens again.
//
// Passwords are hashed while no connection to the database is held: what a hash is compared with is read in a unit of work of its own, and asked for
// again by the unit that writes. Whatever begins or ends a session first locks the user's row, so that nothing begins that is being ended.
package session

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/netip"
	"time"

	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/sql"
	"github.com/google/uuid"

	"forge/ent"
	entsession "forge/ent/session"
	"forge/ent/user"
	"forge/internal/database"
	"forge/internal/entity"
	"forge/internal/expiry"
	"forge/internal/password"
	"forge/internal/unit"
	"forge/internal/viewer"
)

// Issuer makes access tokens.
type Issuer interface {
	// Issue returns a token that says that its bearer is the user, and that it was issued at a time. It expires a
	// token's life after now. No other token has its id; the same arguments make the same token again.
	Issue(user uuid.UUID, role viewer.Role, id uuid.UUID, now, issued time.Time) (text string, expires time.Time, err error)
}

// Sessions signs people up, in and out. It is safe for concurrent use.
type Sessions struct {
	db        *database.DB
	issuer    Issuer
	passwords *password.Hasher
	life      time.Duration
	grace     time.Duration
	proxies   []netip.Prefix
	throttle  *throttle
}

// Lifetimes says how long refresh tokens are good.
type Lifetimes struct {
	Token time.Duration // one that is not used
	Grace time.Duration // one that was used, for the client that used it
}

// New returns what signs people in on db; proxies are those whose X-Forwarded-For is believed.
func New(db *database.DB, issuer Issuer, passwords *password.Hasher, l Lifetimes, proxies []netip.Prefix) *Sessions {
	return &Sessions{db, issuer, passwords, l.Token, l.Grace, proxies, newThrottle(time.Now)}
}

// Tokens are what a session begins, or goes on, with.
type Tokens struct {
	User    uuid.UUID
	Access  string
	Expires time.Time // of the access token
	Refresh string
}

// newToken returns a refresh token.
func newToken() string {
	secret := make([]byte, 32)
	rand.Read(secret) // never fails
	return base64.RawURLEncoding.EncodeToString(secret)
}

// grant stores a refresh token as the next of a family, and returns it with an access token. The caller has locked the user's row,
// and read it since. Both tokens count as issued no earlier than the user's tokens were ended last, also if that time is still to come.
func (s *Sessions) grant(ctx context.Context, u *ent.User, family uuid.UUID, refresh string) (*Tokens, error) {
	now, err := unit.FromContext(ctx).Now(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the database's clock: %w", err)
	}
	issued := now
	if u.TokensValidAfter != nil && u.TokensValidAfter.After(now) {
		issued = *u.TokensValidAfter
	}
	stored, err := ent.FromUnit(ctx).Session.Create().SetFamily(family).SetUserID(u.ID).SetTokenHash(hashed(refresh)).
		SetCreatedAt(issued).SetExpiresAt(now.Add(s.life)).Save(system(ctx))
	if err != nil {
		return nil, fmt.Errorf("store a session: %w", err)
	}
	return s.tokens(ctx, u, refresh, stored)
}

// tokens returns an unused refresh token with the access token that was, or is, given out with it, and makes the user the viewer of
// the answer's rest.
func (s *Sessions) tokens(ctx context.Context, u *ent.User, refresh string, stored *ent.Session) (t *Tokens, err error) {
	role := roleOf(u)
	t = &Tokens{User: u.ID, Refresh: refresh}
	granted := stored.ExpiresAt.Add(-s.life)
	if t.Access, t.Expires, err = s.issuer.Issue(u.ID, role, stored.ID, granted, stored.CreatedAt); err != nil {
		return nil, fmt.Errorf("issue an access token: %w", err)
	}
	viewer.Become(ctx, viewer.Viewer{ID: u.ID, Role: role, Issued: stored.CreatedAt})
	return t, nil
}

func roleOf(u *ent.User) viewer.Role {
	if u.Role == user.RoleADMIN {
		return viewer.Admin
	}
	return viewer.User
}

// hashed is how a token is stored. It needs no salt: it has 256 random bits.
func hashed(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

// End removes all sessions of a user. The caller has changed the user's row before, in the same unit of work: nothing begins meanwhile.
func End(ctx context.Context, db *ent.Client, user uuid.UUID) error {
	if _, err := db.Session.Delete().Where(entsession.UserID(user)).Exec(system(ctx)); err != nil {
		return fmt.Errorf("end the sessions of a user: %w", err)
	}
	return nil
}

// Expired removes some sessions that had expired at a time, as expiry.Some does. An index finds them.
func Expired(ctx context.Context, now time.Time) (int, error) {
	db := ent.FromUnit(ctx)
	expired, err := db.Session.Query().Where(entsession.ExpiresAtLT(now)).Order(ent.Asc(entsession.FieldExpiresAt)).Limit(expiry.Limit).IDs(ctx)
	if err != nil || len(expired) == 0 {
		return 0, err
	}
	return db.Session.Delete().Where(entsession.IDIn(expired...)).Exec(ctx)
}

// lock returns the user's row, also a deleted one's, and keeps others from changing it until the unit of work ends.
func lock(ctx context.Context, db *ent.Client, id uuid.UUID) (*ent.User, error) {
	return db.User.Query().Where(user.ID(id), locked).
		Select(user.FieldID, user.FieldRole, user.FieldIsActive, user.FieldDeletedAt, user.FieldHashedPassword, user.FieldTokensValidAfter).
		Only(entity.WithDeleted(system(ctx)))
}

// locked has others wait, but for those whose rows refer to this one. On SQLite the unit of work has locked everything.
func locked(s *sql.Selector) {
	if s.Dialect() == dialect.Postgres {
		s.ForUpdate(sql.WithLockClause("FOR NO KEY UPDATE"))
	}
}

func system(ctx context.Context) context.Context { return viewer.NewContext(ctx, viewer.System) }
