// Package idempotency makes it safe to send a mutation again. Under one key a mutation is carried
// out once, and every later request with that key gets the same answer.
//
// The transaction that does the work also stores the key and the answer. So the key exists if and
// only if the work is done. If two requests with one key arrive at once, the second waits until the
// first has committed or rolled back.
package idempotency

import (
	"cmp"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"
	"unicode/utf8"

	entsql "entgo.io/ent/dialect/sql"

	"forge/ent"
	"forge/ent/idempotencykey"
	"forge/internal/apperr"
	"forge/internal/database"
	"forge/internal/expiry"
	"forge/internal/telemetry"
	"forge/internal/viewer"
)

// Header is the HTTP header with the key.
const Header = "Idempotency-Key"

// maxKey is the most characters that a key may have.
const maxKey = 255

// Limits bound the stored answers. 0 stands for no limit.
type Limits struct {
	AnswerBytes int // of one answer
	Keys        int // of one viewer
	Bytes       int // of all answers of one viewer
}

// Request is a mutation with a key.
type Request struct {
	Viewer      string // the ID of the key's owner
	Key         string
	Fingerprint string // a hash of the document, the operation's name and the variables
}

// NewRequest returns the request. The error is BAD_USER_INPUT if the key is too long or not
// printable.
func NewRequest(owner, key, document, operation string, variables map[string]any) (*Request, error) {
	if n := utf8.RuneCountInString(key); n > maxKey || !printable(key) {
		return nil, apperr.BadInput(Header,
			"%s has %d characters; up to %d are allowed, all of them printable", Header, n, maxKey)
	}
	sum, err := fingerprint(document, operation, variables)
	return &Request{Viewer: owner, Key: key, Fingerprint: sum}, err
}

func printable(key string) bool {
	for _, c := range key {
		if c < ' ' || c == 0x7f || c == utf8.RuneError {
			return false
		}
	}
	return true
}

// fingerprint returns a hash that differs between different requests. It does not depend on the
// order of the variables.
func fingerprint(document, operation string, variables map[string]any) (string, error) {
	all, err := json.Marshal([]any{document, operation, variables})
	if err != nil {
		return "", fmt.Errorf("the variables of a request: %w", err)
	}
	sum := sha256.Sum256(all)
	return hex.EncodeToString(sum[:]), nil
}

// Claim stores the key. If the work was done before, Claim returns the answer of that time instead;
// otherwise it returns nil, and the caller does the work. Claim comes first in the request's unit
// of work, and Keep comes last before the commit. The error is IDEMPOTENCY_CONFLICT if another
// request was sent under the key. The key expires after ttl.
func (r *Request) Claim(ctx context.Context, ttl time.Duration) (answer []byte, err error) {
	ctx = viewer.NewContext(ctx, viewer.System)
	for {
		now := time.Now().UTC()
		ours, err := r.store(ctx, now, now.Add(ttl))
		if ours || err != nil {
			return nil, err
		}
		known, err := ent.FromUnit(ctx).IdempotencyKey.Query().Where(r.is()).Only(ctx)
		switch {
		case ent.IsNotFound(err):
			continue // it has expired and was removed since
		case err != nil:
			return nil, fmt.Errorf("read an idempotency key: %w", err)
		case known.Fingerprint != r.Fingerprint:
			return nil, &apperr.Error{
				Code:    apperr.CodeIdempotencyConflict,
				Message: "another request was sent under this " + Header + "; a new request needs a new key",
			}
		case known.Answer == nil:
			return nil, errors.New("an idempotency key was stored without an answer")
		}
		return []byte(*known.Answer), nil
	}
}

// store stores the key if it does not exist or has expired, and reports whether it did. It is a
// single statement: of several requests at once one succeeds, and the others wait for it.
func (r *Request) store(ctx context.Context, now, expires time.Time) (bool, error) {
	renew := func(u *entsql.UpdateSet) {
		u.SetExcluded(idempotencykey.FieldFingerprint).SetExcluded(idempotencykey.FieldExpiresAt).
			SetNull(idempotencykey.FieldAnswer)
	}
	expired := entsql.LT(idempotencykey.FieldExpiresAt, now)
	err := ent.FromUnit(ctx).IdempotencyKey.Create().
		SetViewer(r.Viewer).SetKey(r.Key).SetFingerprint(r.Fingerprint).SetExpiresAt(expires).
		OnConflict(entsql.ConflictColumns(idempotencykey.FieldViewer, idempotencykey.FieldKey),
			entsql.ResolveWith(renew), entsql.UpdateWhere(expired)).
		Exec(ctx)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

// is returns the condition that a row is the one of the request's key.
func (r *Request) is() func(*entsql.Selector) {
	return func(s *entsql.Selector) {
		s.Where(entsql.And(entsql.EQ(s.C(idempotencykey.FieldViewer), r.Viewer),
			entsql.EQ(s.C(idempotencykey.FieldKey), r.Key)))
	}
}

// Keep stores the answer in the request's unit of work. The error is BAD_USER_INPUT if the answer
// is too large, and RATE_LIMITED if the viewer's answers together are. After an error the caller
// must roll back.
//
// The statement counts the viewer's other keys. It does not see those of transactions in progress,
// so concurrent requests of one viewer may exceed the limit by their number.
func (r *Request) Keep(ctx context.Context, answer []byte, limits Limits) error {
	if limits.AnswerBytes > 0 && len(answer) > limits.AnswerBytes {
		telemetry.FromContext(ctx).Refuse(telemetry.KeptAnswer)
		return apperr.BadInput(Header, "the answer has %d bytes; up to %d are kept under an %s: "+
			"ask for fewer fields, or send the request without one", len(answer), limits.AnswerBytes, Header)
	}
	ctx = viewer.NewContext(ctx, viewer.System)
	n, err := ent.FromUnit(ctx).IdempotencyKey.Update().Where(r.is(), r.within(limits, len(answer))).
		SetAnswer(string(answer)).Save(ctx)
	switch {
	case err != nil:
		return fmt.Errorf("keep an answer under its idempotency key: %w", err)
	case n == 0:
		return r.full(ctx, limits)
	}
	return nil
}

// within returns the condition that the viewer's answers, with another one of the given size, stay
// within the limits.
func (r *Request) within(limits Limits, bytes int) func(*entsql.Selector) {
	return func(s *entsql.Selector) {
		if limits.Keys == 0 && limits.Bytes == 0 {
			return
		}
		s.Where(entsql.P(func(b *entsql.Builder) {
			b.WriteString("(SELECT count(*) <= ").Arg(cmp.Or(limits.Keys, math.MaxInt)).
				WriteString(" AND coalesce(sum(octet_length(").Ident(idempotencykey.FieldAnswer).
				WriteString(")), 0) <= ").
				Arg(cmp.Or(limits.Bytes, math.MaxInt) - bytes).
				WriteString(" FROM ").Ident(idempotencykey.Table).
				WriteString(" WHERE ").Ident(idempotencykey.FieldViewer).WriteString(" = ").
				Arg(r.Viewer).WriteByte(')')
		}))
	}
}

// full returns the RATE_LIMITED for a viewer who has reached a limit.
func (r *Request) full(ctx context.Context, limits Limits) error {
	telemetry.FromContext(ctx).Refuse(telemetry.KeptKeys)
	oldest, err := ent.FromUnit(ctx).IdempotencyKey.Query().Where(idempotencykey.Viewer(r.Viewer)).
		Order(ent.Asc(idempotencykey.FieldExpiresAt)).Select(idempotencykey.FieldExpiresAt).First(ctx)
	if err != nil {
		return fmt.Errorf("look for the oldest of a viewer's idempotency keys: %w", err)
	}
	wait := max(1, int(math.Ceil(time.Until(oldest.ExpiresAt).Seconds())))
	return &apperr.Error{
		Code: apperr.CodeRateLimited,
		Message: fmt.Sprintf("too much is kept under your %ss: up to %s; "+
			"send the request without one, or wait until older ones expire", Header, limits.perViewer()),
		More: map[string]any{"retryAfter": wait},
	}
}

// perViewer describes the limits for one viewer.
func (l Limits) perViewer() string {
	var parts []string
	if l.Keys > 0 {
		parts = append(parts, fmt.Sprintf("%d keys", l.Keys))
	}
	if l.Bytes > 0 {
		parts = append(parts, fmt.Sprintf("%d bytes of answers", l.Bytes))
	}
	return strings.Join(parts, " and ") + " are allowed"
}

// Sweep removes all expired keys and returns their number.
func Sweep(ctx context.Context, db *database.DB) (int, error) {
	return expiry.Some(Expired).All(ctx, db)
}

// Expired removes keys that had expired at the time now. It is an expiry.Some.
func Expired(ctx context.Context, now time.Time) (int, error) {
	c := ent.FromUnit(ctx)
	expired, err := c.IdempotencyKey.Query().Where(idempotencykey.ExpiresAtLT(now)).
		Order(ent.Asc(idempotencykey.FieldExpiresAt)).Limit(expiry.Limit).IDs(ctx)
	if err != nil || len(expired) == 0 {
		return 0, err
	}
	// A key that was claimed again in the meantime has not expired.
	return c.IdempotencyKey.Delete().Where(idempotencykey.IDIn(expired...), idempotencykey.ExpiresAtLT(now)).Exec(ctx)
}
