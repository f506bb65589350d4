package session

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/google/uuid"

	"forge/ent"
	entsession "forge/ent/session"
	"forge/internal/apperr"
	"forge/internal/clientip"
	"forge/internal/unit"
)

var errRefresh = &apperr.Error{
	Code:    apperr.CodeUnauthenticated,
	Message: "this refresh token is not good, or no longer: sign in again",
}

// ReplayError says that a refresh token was used a second time. The client sees the same error as
// for any other invalid token.
type ReplayError struct {
	accounts        Accounts
	account, family uuid.UUID
}

func (*ReplayError) Error() string { return "a used refresh token came back" }

// Unwrap returns the error that the client sees.
func (*ReplayError) Unwrap() error { return errRefresh }

// End ends the family of the token, in the unit of work of ctx. That must be another unit than the
// one of Refresh, which is rolled back.
func (e *ReplayError) End(ctx context.Context) error {
	return endFamily(ctx, e.accounts, e.account, e.family)
}

// Refresh exchanges a refresh token for an access token and the next refresh token. If the same
// client used the token before, within the grace time, it gets the same tokens again, because
// several tabs may send a token at once, and responses get lost. If the token is not valid, the
// error is UNAUTHENTICATED. If the token was used before, but longer ago or by another client, the
// error is a *ReplayError, and the caller has to call its method End.
func (s *Sessions) Refresh(ctx context.Context, token string) (*Tokens, error) {
	known, err := stored(ctx, token)
	if known == nil || err != nil {
		return nil, orRefused(err)
	}
	a, err := lock(ctx, s.accounts, known.UserID)
	if a == nil || err != nil {
		return nil, orRefused(err)
	}
	now, err := unit.FromContext(ctx).Now(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the database's clock: %w", err)
	}
	if !a.accepts(known.CreatedAt) || !now.Before(known.ExpiresAt) {
		return nil, errRefresh
	}
	salt := newSalt()
	n, err := ent.FromUnit(ctx).Session.Update().Where(entsession.ID(known.ID), entsession.UsedAtIsNil()).
		SetUsedAt(now).SetSuccessorSalt(salt).Save(system(ctx))
	switch {
	case err != nil:
		return nil, fmt.Errorf("use a refresh token: %w", err)
	case n == 1:
		return s.grant(ctx, a, known, s.successor(ctx, token, salt))
	}
	// The token was used before, or its session has just ended.
	next, last, err := s.repeat(ctx, token, now)
	switch {
	case err != nil:
		return nil, err
	case last == nil:
		return nil, &ReplayError{s.accounts, known.UserID, known.Family}
	}
	return s.tokens(ctx, a, next, last)
}

// mostRepeated is how many successors repeat follows.
const mostRepeated = 100

// repeat follows a used token from successor to successor, up to the unused one. It returns the
// unused token and its session. The client's other tabs already have this token. The session is nil
// if another client has used a token on the way, or if one was used longer ago than the grace time.
func (s *Sessions) repeat(ctx context.Context, token string, now time.Time) (next string, last *ent.Session, err error) {
	for range mostRepeated {
		last, err = stored(ctx, token)
		switch {
		case last == nil || err != nil:
			return "", nil, err
		case last.UsedAt == nil:
			return token, last, nil
		case last.SuccessorSalt == nil || now.Sub(*last.UsedAt) >= s.grace:
			return "", nil, nil
		}
		token = s.successor(ctx, token, *last.SuccessorSalt)
	}
	return "", nil, nil
}

// successor returns the token that follows another one for the client of ctx. It is computed from
// the token, which is not stored, and from the salt, which clients do not know. For another client,
// the result is a token that does not exist.
func (s *Sessions) successor(ctx context.Context, token, salt string) string {
	mac := hmac.New(sha256.New, []byte(token))
	fmt.Fprintf(mac, "forge: the token after this one\x00%s\x00%s", salt, clientip.Client(ctx, s.proxies))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

func newSalt() string {
	salt := make([]byte, 16)
	rand.Read(salt) // never fails
	return hex.EncodeToString(salt)
}

// SignOut ends the family of a refresh token, even if the token was used before. It returns false
// if there is no such token.
func (s *Sessions) SignOut(ctx context.Context, token string) (bool, error) {
	known, err := stored(ctx, token)
	if known == nil || err != nil {
		return false, err
	}
	return true, endFamily(ctx, s.accounts, known.UserID, known.Family)
}

// stored returns the session of a token. It returns nil if there is none.
func stored(ctx context.Context, token string) (*ent.Session, error) {
	found, err := ent.FromUnit(ctx).Session.Query().Where(entsession.TokenHash(hashed(token))).Only(system(ctx))
	if ent.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("look for a session: %w", err)
	}
	return found, nil
}

// endFamily removes all tokens of a family. It locks the account first, so that it also removes a
// token that another unit of work is about to store.
func endFamily(ctx context.Context, accounts Accounts, account, family uuid.UUID) error {
	if _, err := lock(ctx, accounts, account); err != nil {
		return err
	}
	if _, err := ent.FromUnit(ctx).Session.Delete().Where(entsession.Family(family)).Exec(system(ctx)); err != nil {
		return fmt.Errorf("end a session: %w", err)
	}
	return nil
}

func orRefused(err error) error {
	if err == nil {
		return errRefresh
	}
	return err
}
