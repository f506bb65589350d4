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

var errRefresh = &apperr.Error{Code: apperr.CodeUnauthenticated, Message: "this refresh token is not good, or no longer: sign in again"}

// ReplayError says that a refresh token came back after it was used. To whoever sent it it looks like any other that is not good.
type ReplayError struct{ user, family uuid.UUID }

func (*ReplayError) Error() string { return "a used refresh token came back" }

// Unwrap returns what the sender is told.
func (*ReplayError) Unwrap() error { return errRefresh }

// End ends the family that the token belongs to. The unit of work in which it came back has failed, so this takes another one.
func (e *ReplayError) End(ctx context.Context) error {
	return endFamily(ctx, ent.FromUnit(ctx), e.user, e.family)
}

// Refresh exchanges a refresh token for the next one and an access token. A token that the same client has used within
// the grace time gets the same tokens again: several tabs may send it at once, or the answer was lost. The error is
// UNAUTHENTICATED if the token is not good any more; if that is because it was used before, it is a *ReplayError, whose
// End the caller has to call.
func (s *Sessions) Refresh(ctx context.Context, token string) (*Tokens, error) {
	db := ent.FromUnit(ctx)
	known, err := find(ctx, db, token)
	if known == nil || err != nil {
		return nil, orRefused(err)
	}
	u, err := lock(ctx, db, known.UserID)
	if err != nil {
		if ent.IsNotFound(err) {
			return nil, errRefresh
		}
		return nil, fmt.Errorf("lock a user: %w", err)
	}
	now, err := unit.FromContext(ctx).Now(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the database's clock: %w", err)
	}
	ended := u.TokensValidAfter != nil && known.CreatedAt.Before(*u.TokensValidAfter)
	if ended || !u.IsActive || u.DeletedAt != nil || !now.Before(known.ExpiresAt) {
		return nil, errRefresh
	}
	salt := newSalt()
	n, err := db.Session.Update().Where(entsession.ID(known.ID), entsession.UsedAtIsNil()).SetUsedAt(now).SetSuccessorSalt(salt).
		Save(system(ctx))
	switch {
	case err != nil:
		return nil, fmt.Errorf("use a refresh token: %w", err)
	case n == 1:
		return s.grant(ctx, u, known.Family, s.successor(ctx, token, salt))
	}
	// It was used, or its family was ended, if not before then at this moment.
	next, last, err := s.repeat(ctx, db, token, now)
	switch {
	case err != nil:
		return nil, err
	case last == nil:
		return nil, &ReplayError{known.UserID, known.Family}
	}
	return s.tokens(ctx, u, next, last)
}

// mostRepeated is how many tokens that came out of each other within the grace time are followed.
const mostRepeated = 100

// repeat returns the unused token that came out of a used one, and its session. The session is nil unless each token on
// the way was used within the grace time, and by the client that asks now: a late tab gets what the others have by then.
func (s *Sessions) repeat(ctx context.Context, db *ent.Client, token string, now time.Time) (next string, last *ent.Session, err error) {
	for range mostRepeated {
		last, err = find(ctx, db, token)
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

// successor returns the token that a client gets for another one. It can be made again only by who has that token, which
// is not stored, and the salt, which is nowhere else; and another client's is another, which nobody has been given.
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

// SignOut ends the family of a refresh token, also of one that was used. It returns false if there is none.
func (s *Sessions) SignOut(ctx context.Context, token string) (bool, error) {
	db := ent.FromUnit(ctx)
	known, err := find(ctx, db, token)
	if known == nil || err != nil {
		return false, err
	}
	return true, endFamily(ctx, db, known.UserID, known.Family)
}

// find returns the session of a token, or nil.
func find(ctx context.Context, db *ent.Client, token string) (*ent.Session, error) {
	found, err := db.Session.Query().Where(entsession.TokenHash(hashed(token))).Only(system(ctx))
	if ent.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("look for a session: %w", err)
	}
	return found, nil
}

// endFamily removes a family. A token of it that is being made is there once the user's row is locked, and is removed as well.
func endFamily(ctx context.Context, db *ent.Client, user, family uuid.UUID) error {
	if _, err := lock(ctx, db, user); err != nil && !ent.IsNotFound(err) {
		return fmt.Errorf("lock a user: %w", err)
	}
	if _, err := db.Session.Delete().Where(entsession.Family(family)).Exec(system(ctx)); err != nil {
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
