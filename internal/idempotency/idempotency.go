// Package idempotency makes it safe to send a mutation again. A client sends the mutation with a
// key. The mutation is carried out once, and every later request with the same key gets the same
// answer.
//
// The transaction of the mutation also stores the key and the answer. So a key is in the database
// if and only if its mutation was carried out. If two requests with the same key arrive at once,
// the second waits until the first has committed or rolled back.
package idempotency

import (
	"cmp"
	"context"
	"crypto/sha256"
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
	"forge/internal/unit"
	"forge/internal/viewer"
)

// Header is the name of the HTTP header that contains the key.
const Header = "Idempotency-Key"

// maxKey is the largest number of characters in a key.
const maxKey = 255

// Limits are the limits for stored answers. 0 stands for no limit.
type Limits struct {
	AnswerBytes int // the size of one answer
	Keys        int // the number of keys of one viewer
	Bytes       int // the size of all answers of one viewer
}

// Request is a mutation that was sent with a key.
type Request struct {
	Viewer      string // the ID of the key's owner
	Key         string
	Fingerprint string // a hash of the document, the operation's name and the variables
}

// NewRequest returns a request. The error is BAD_USER_INPUT if the key is too long, or has
// characters that are not printable.
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

// fingerprint returns a hash of a request, which is different for each different request. The order
// of the variables makes no difference.
func fingerprint(document, operation string, variables map[string]any) (string, error) {
	all, err := json.Marshal([]any{document, operation, variables})
	if err != nil {
		return "", fmt.Errorf("the variables of a request: %w", err)
	}
	sum := sha256.Sum256(all)
	return hex.EncodeToString(sum[:]), nil
}

// Claim stores the key, and returns nil if the key is new: the caller then carries out the
// mutation. If the mutation was carried out before, Claim returns the answer from then. The error
// is IDEMPOTENCY_CONFLICT if the key was used for another request. The key expires after ttl.
//
// Claim must be the first statement of the request's unit of work. Keep must be the last one before
// the commit.
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
			continue // the key has expired, and was removed after store found it
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

// store stores the key if it does not exist, or has expired. It reports whether it did. It is a
// single statement, so only one of several concurrent requests succeeds, and the others wait for
// it.
func (r *Request) store(ctx context.Context, now, expires time.Time) (bool, error) {
	u := unit.FromContext(ctx)
	query, args := r.insert(u.Dialect(), expires).
		OnConflict(entsql.ConflictColumns(idempotencykey.FieldViewer, idempotencykey.FieldKey),
			entsql.ResolveWith(func(u *entsql.UpdateSet) {
				u.SetExcluded(idempotencykey.FieldFingerprint).SetExcluded(idempotencykey.FieldExpiresAt).
					SetNull(idempotencykey.FieldAnswer)
			}),
			entsql.UpdateWhere(entsql.LT(idempotencykey.FieldExpiresAt, now))).
		Query()
	stored, err := u.Exec(ctx, query, args...)
	if err != nil {
		return false, fmt.Errorf("store an idempotency key: %w", err)
	}
	return stored > 0, nil
}

func (r *Request) insert(dialect string, expires time.Time) *entsql.InsertBuilder {
	return entsql.Dialect(dialect).Insert(idempotencykey.Table).
		Columns(idempotencykey.FieldID, idempotencykey.FieldViewer, idempotencykey.FieldKey,
			idempotencykey.FieldFingerprint, idempotencykey.FieldExpiresAt).
		Values(idempotencykey.DefaultID(), r.Viewer, r.Key, r.Fingerprint, expires)
}

// is returns a condition that selects the row of the request's key.
func (r *Request) is() func(*entsql.Selector) {
	return func(s *entsql.Selector) {
		s.Where(entsql.And(entsql.EQ(s.C(idempotencykey.FieldViewer), r.Viewer),
			entsql.EQ(s.C(idempotencykey.FieldKey), r.Key)))
	}
}

// Keep stores the answer in the request's unit of work. The error is BAD_USER_INPUT if the answer
// is too large, and RATE_LIMITED if the viewer has too many keys, or answers that are too large
// together. After an error, the caller must roll back.
//
// The statement counts the viewer's other keys, but does not see those of transactions in progress.
// So concurrent requests of one viewer may exceed the limit by the number of these requests.
func (r *Request) Keep(ctx context.Context, answer []byte, limits Limits) error {
	if err := tooLarge(ctx, answer, limits); err != nil {
		return err
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

func tooLarge(ctx context.Context, answer []byte, limits Limits) error {
	if limits.AnswerBytes == 0 || len(answer) <= limits.AnswerBytes {
		return nil
	}
	telemetry.FromContext(ctx).Refuse(telemetry.KeptAnswer)
	return apperr.BadInput(Header, "the answer has %d bytes; up to %d are kept under an %s: "+
		"ask for fewer fields, or send the request without one", len(answer), limits.AnswerBytes, Header)
}

// within returns a condition that is true if the viewer stays within the limits with one more
// answer of bytes bytes.
func (r *Request) within(limits Limits, bytes int) func(*entsql.Selector) {
	return func(s *entsql.Selector) {
		if limits.any() {
			s.Where(entsql.P(func(b *entsql.Builder) { r.writeWithin(b, limits, bytes) }))
		}
	}
}

func (l Limits) any() bool { return l.Keys > 0 || l.Bytes > 0 }

// writeWithin writes the condition of within.
func (r *Request) writeWithin(b *entsql.Builder, limits Limits, bytes int) {
	b.WriteString("(SELECT count(*) <= ").Arg(cmp.Or(limits.Keys, math.MaxInt)).
		WriteString(" AND coalesce(sum(octet_length(").Ident(idempotencykey.FieldAnswer).
		WriteString(")), 0) <= ").
		Arg(cmp.Or(limits.Bytes, math.MaxInt) - bytes).
		WriteString(" FROM ").Ident(idempotencykey.Table).
		WriteString(" WHERE ").Ident(idempotencykey.FieldViewer).WriteString(" = ").
		Arg(r.Viewer).WriteByte(')')
}

// full returns the RATE_LIMITED error for a viewer who has reached a limit.
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

// Sweep removes all expired keys, and returns their number.
func Sweep(ctx context.Context, db *database.DB) (int, error) {
	return expiry.Some(Expired).All(ctx, db)
}

// Expired removes up to expiry.Limit keys that had expired at the time now. It is an expiry.Some.
func Expired(ctx context.Context, now time.Time) (int, error) {
	c := ent.FromUnit(ctx)
	expired, err := c.IdempotencyKey.Query().Where(idempotencykey.ExpiresAtLT(now), expiry.SkipLocked).
		Order(ent.Asc(idempotencykey.FieldExpiresAt)).Limit(expiry.Limit).IDs(ctx)
	if err != nil || len(expired) == 0 {
		return 0, err
	}
	// A key that a request has renewed since the query is kept.
	return c.IdempotencyKey.Delete().Where(idempotencykey.IDIn(expired...), idempotencykey.ExpiresAtLT(now)).Exec(ctx)
}
