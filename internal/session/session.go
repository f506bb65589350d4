// Package session signs people up, in and out. The application stores their accounts; see Accounts.
//
// An access token lives for minutes and is not stored. A refresh token is stored as a hash, and can
// be used once: it is exchanged for the next token of its family. If a used token comes back, the
// token or its successor was stolen, and the whole family is ended. Within a grace time, the same
// client gets the same tokens again, because several tabs may refresh at the same moment, and
// responses get lost. See docs/adr/0005-tokens.md.
//
// No database connection is held while a password is hashed. The stored hash is read in a unit of
// work of its own, and checked again in the unit that writes. Code that begins or ends a session
// first locks the account, so that no session begins while the account's sessions end.
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

	"github.com/google/uuid"

	"forge/ent"
	entsession "forge/ent/session"
	"forge/internal/apperr"
	"forge/internal/clientip"
	"forge/internal/database"
	"forge/internal/expiry"
	"forge/internal/onetime"
	"forge/internal/password"
	"forge/internal/shared"
	"forge/internal/unit"
	"forge/internal/viewer"
)

// Issuer makes access tokens.
type Issuer interface {
	// Issue returns an access token for a session of the account, with issued as its time of issue.
	// The token expires one lifetime after now. id identifies the token. Equal arguments return
	// equal tokens.
	Issue(account uuid.UUID, role viewer.Role, session, id uuid.UUID, now, issued time.Time) (
		text string, expires time.Time, err error)
}

// Sessions signs people up, in and out. It is safe for concurrent use.
type Sessions struct {
	db        *database.DB
	accounts  Accounts
	issuer    Issuer
	passwords *password.Hasher
	life      time.Duration
	grace     time.Duration
	proxies   []netip.Prefix
	throttle  *throttle
	failures  *failures
	asked     *Limiter // see Ask

	// Second is asked before a session begins; if nil, nothing else has to be proved.
	Second SecondFactors
	// Deliver is called with the tokens of each session that begins or continues, in the unit of
	// work of ctx. It may take Refresh out if the client gets it in another way than in the answer.
	// After an error, nothing is stored. If it is nil, all tokens are in the answer.
	Deliver func(ctx context.Context, t *Tokens) error
}

// Lifetimes says how long refresh tokens are valid.
type Lifetimes struct {
	Token time.Duration // for a token that is not used
	Grace time.Duration // for a used token, and the client that used it
}

// New returns Sessions of accounts on db. It trusts the X-Forwarded-For header of the given
// proxies. It counts failures with those of other servers, or in this process alone if failures is
// nil.
func New(db *database.DB, accounts Accounts, issuer Issuer, passwords *password.Hasher, l Lifetimes, proxies []netip.Prefix, failures *shared.Failures) *Sessions {
	return &Sessions{db: db, accounts: accounts, issuer: issuer, passwords: passwords, life: l.Token, grace: l.Grace, proxies: proxies,
		throttle: newThrottle(failures, time.Now, freeFailures), failures: newFailures(),
		asked: &Limiter{newThrottle(failures.Allowing(freeAsked), time.Now, freeAsked)}}
}

// Begin begins a session for an account that has proved by method who it is. It locks the account.
// If something else has to be proved, it returns that and begins no session. It returns errRefused,
// an UNAUTHENTICATED, if the account may not sign in.
func (s *Sessions) Begin(ctx context.Context, account uuid.UUID, method Method) (*Tokens, error) {
	a, err := lock(ctx, s.accounts, account)
	switch {
	case err != nil:
		return nil, err
	case a == nil || !a.Active:
		return nil, errRefused
	}
	return s.begin(ctx, a, method, true)
}

// begin is Begin for an account that is locked and active. If second is false, nothing else has to
// be proved.
func (s *Sessions) begin(ctx context.Context, a *Account, method Method, second bool) (*Tokens, error) {
	if second && s.Second != nil {
		due, err := s.Second.Due(ctx, a.ID, method)
		if err != nil || due != nil {
			return &Tokens{Due: due}, err
		}
	}
	if err := makeRoom(ctx, a.ID); err != nil {
		return nil, err
	}
	t, err := s.grant(ctx, a, &ent.Session{Method: string(method)}, newToken())
	if err != nil {
		return nil, err
	}
	return t, s.succeeded(ctx, a.ID, method, t.granted)
}

var errRefused = &apperr.Error{Code: apperr.CodeUnauthenticated, Message: "this user may not sign in"}

// Tokens are the tokens with which a session begins or continues. If Due is not nil, all others are
// zero.
type Tokens struct {
	Account uuid.UUID
	Access  string
	Expires time.Time // when the access token expires
	Refresh string
	Due     *SecondFactor // what is still to be proved; nil if nothing is
	granted time.Time     // when they were made, by the database's clock
}

// SecondFactor is something else that has to be proved before a session begins.
type SecondFactor struct {
	Token string   // stands for what was proved; good once
	Kinds []string // the kinds of codes of which one is enough
}

// SecondFactors tells which accounts have to prove something else before a session begins.
type SecondFactors interface {
	// Due returns what an account that has proved who it is by a method has to prove as well. It
	// returns nil if nothing is due. It works in the unit of work of ctx.
	Due(ctx context.Context, account uuid.UUID, method Method) (*SecondFactor, error)
}

// Method is a way to prove who one is.
type Method string

// These are the methods that the framework knows. Others are those of providers: "provider:" and
// the provider's name.
const (
	ByPassword Method = "password"
	ByLink     Method = "link"
	ByCode     Method = "code"
	ByPasskey  Method = "passkey"
	BySignUp   Method = "sign up"
)

// newToken returns a random refresh token.
func newToken() string {
	secret := make([]byte, 32)
	rand.Read(secret) // never fails
	return base64.RawURLEncoding.EncodeToString(secret)
}

// grant stores a refresh token as the next one after another token of its family, and returns it
// with an access token. If the other token has no family, the family begins. The caller has locked
// the account. Both tokens are issued now, or at the account's ValidAfter if that is later, which
// happens after the database's clock was set back.
func (s *Sessions) grant(ctx context.Context, a *Account, after *ent.Session, refresh string) (*Tokens, error) {
	now, err := unit.FromContext(ctx).Now(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the database's clock: %w", err)
	}
	issued := now
	if a.ValidAfter.After(now) {
		issued = a.ValidAfter
	}
	family, began := after.Family, after.BeganAt
	if family == uuid.Nil {
		family, began = uuid.Must(uuid.NewV7()), &issued
	}
	stored, err := ent.FromUnit(ctx).Session.Create().SetFamily(family).SetUserID(a.ID).SetTokenHash(hashed(refresh)).
		SetCreatedAt(issued).SetExpiresAt(now.Add(s.life)).SetNillableBeganAt(began).SetMethod(after.Method).
		SetAddress(s.address(ctx)).SetClient(clientip.UserAgent(ctx)).Save(system(ctx))
	if err != nil {
		return nil, fmt.Errorf("store a session: %w", err)
	}
	return s.tokens(ctx, a, refresh, stored)
}

// tokens returns an unused refresh token with its access token, which is the same at every call. It
// makes the account the viewer of the rest of the response.
func (s *Sessions) tokens(ctx context.Context, a *Account, refresh string, stored *ent.Session) (t *Tokens, err error) {
	t = &Tokens{Account: a.ID, Refresh: refresh, granted: stored.ExpiresAt.Add(-s.life)}
	if t.Access, t.Expires, err = s.issuer.Issue(a.ID, a.Role, stored.Family, stored.ID, t.granted, stored.CreatedAt); err != nil {
		return nil, fmt.Errorf("issue an access token: %w", err)
	}
	viewer.Become(ctx, viewer.Viewer{ID: a.ID, Role: a.Role, Issued: stored.CreatedAt, Session: stored.Family})
	if s.Deliver != nil {
		return t, s.Deliver(ctx, t)
	}
	return t, nil
}

// address returns the client's address, or "" if it is not known.
func (s *Sessions) address(ctx context.Context) string {
	if a := s.Client(ctx).WithZone(""); a.IsValid() {
		return a.String()
	}
	return ""
}

// Client returns the address of the client, or the zero address if ctx carries no request.
func (s *Sessions) Client(ctx context.Context) netip.Addr { return clientip.Address(ctx, s.proxies) }

// hashed returns the form in which a token is stored. It needs no salt, because a token has 256
// random bits.
func hashed(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

// End removes all sessions of an account, and its tokens that are good once, such as those in
// mails. The caller has changed the account in the same unit of work, so the account is locked and
// no session begins meanwhile.
func End(ctx context.Context, account uuid.UUID) error {
	if _, err := ent.FromUnit(ctx).Session.Delete().Where(entsession.UserID(account)).Exec(system(ctx)); err != nil {
		return fmt.Errorf("end the sessions of a user: %w", err)
	}
	return onetime.End(ctx, account)
}

// Expired removes sessions that had expired at the time now, and returns how many. It is an
// expiry.Some.
func Expired(ctx context.Context, now time.Time) (int, error) {
	db := ent.FromUnit(ctx)
	expired, err := db.Session.Query().Where(entsession.ExpiresAtLT(now), expiry.SkipLocked).
		Order(ent.Asc(entsession.FieldExpiresAt)).Limit(expiry.Limit).IDs(ctx)
	if err != nil || len(expired) == 0 {
		return 0, err
	}
	return db.Session.Delete().Where(entsession.IDIn(expired...)).Exec(ctx)
}
