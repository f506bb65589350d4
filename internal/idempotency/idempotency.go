// Package idempotency makes it safe to send a mutation again: under one key it is carried out once, and answered alike every time.
//
// The key is stored by the transaction that does the work, together with the answer. So it is there exactly if the work was
// done, and of two requests at once the second waits until the first has committed or given up.
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

// Header carries the key.
const Header = "Idempotency-Key"

// maxKey is how many characters a key has at most.
const maxKey = 255

// Limits bound what is kept. 0 stands for no limit.
type Limits struct {
	AnswerBytes int // of one answer
	Keys        int // of a viewer, the one that is being kept included
	Bytes       int // of a viewer's answers together, the one that is being kept included
}

// Request is a mutation with a key.
type Request struct {
	Viewer string // whose key it is
	Key    string
	Print  string // see Fingerprint
}

// NewRequest returns the request, or an error for its sender if the key is not allowed.
func NewRequest(owner, key, document, operation string, variables map[string]any) (*Request, error) {
	if n := utf8.RuneCountInString(key); n > maxKey || !printable(key) {
		return nil, apperr.BadInput(Header, "%s has %d characters; up to %d are allowed, all of them printable", Header, n, maxKey)
	}
	print, err := fingerprint(document, operation, variables)
	return &Request{Viewer: owner, Key: key, Print: print}, err
}

func printable(key string) bool {
	for _, c := range key {
		if c < ' ' || c == 0x7f || c == utf8.RuneError {
			return false
		}
	}
	return true
}

// fingerprint tells requests apart, whatever the order of their variables.
func fingerprint(document, operation string, variables map[string]any) (string, error) {
	all, err := json.Marshal([]any{document, operation, variables})
	if err != nil {
		return "", fmt.Errorf("the variables of a request: %w", err)
	}
	sum := sha256.Sum256(all)
	return hex.EncodeToString(sum[:]), nil
}

// Claim is the first thing that the request's unit of work does. If the work was done before, it returns the answer that was given
// then. Otherwise the work is the caller's to do, and Keep is the last thing before its commit.
func (r *Request) Claim(ctx context.Context, ttl time.Duration) (answer []byte, err error) {
	ctx = viewer.NewContext(ctx, viewer.System)
	for {
		now := time.Now().UTC()
		ours, err := r.take(ctx, now, now.Add(ttl))
		if ours || err != nil {
			return nil, err
		}
		known, err := ent.FromUnit(ctx).IdempotencyKey.Query().Where(r.is()).Only(ctx)
		switch {
		case ent.IsNotFound(err):
			continue // it has expired and was swept away since
		case err != nil:
			return nil, fmt.Errorf("read an idempotency key: %w", err)
		case known.Fingerprint != r.Print:
			return nil, &apperr.Error{Code: apperr.CodeIdempotencyConflict, Message: "another request was sent under this " + Header + "; a new request needs a new key"}
		case known.Answer == nil:
			return nil, errors.New("an idempotency key was stored without an answer")
		}
		return []byte(*known.Answer), nil
	}
}

// take stores the key, if there is none yet or it has expired, and reports whether it did. It is one statement, so that of many at once
// one succeeds and the others wait for it.
func (r *Request) take(ctx context.Context, now, expires time.Time) (bool, error) {
	anew := func(u *entsql.UpdateSet) {
		u.SetExcluded(idempotencykey.FieldFingerprint).SetExcluded(idempotencykey.FieldExpiresAt).SetNull(idempotencykey.FieldAnswer)
	}
	expired := entsql.LT(idempotencykey.FieldExpiresAt, now)
	err := ent.FromUnit(ctx).IdempotencyKey.Create().
		SetViewer(r.Viewer).SetKey(r.Key).SetFingerprint(r.Print).SetExpiresAt(expires).
		OnConflict(entsql.ConflictColumns(idempotencykey.FieldViewer, idempotencykey.FieldKey), entsql.ResolveWith(anew), entsql.UpdateWhere(expired)).
		Exec(ctx)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

func (r *Request) is() func(*entsql.Selector) {
	return func(s *entsql.Selector) {
		s.Where(entsql.And(entsql.EQ(s.C(idempotencykey.FieldViewer), r.Viewer), entsql.EQ(s.C(idempotencykey.FieldKey), r.Key)))
	}
}

// Keep stores the answer with what the unit of work did. If that passes a limit the error is a BAD_USER_INPUT or a
// RATE_LIMITED, and the caller must roll back.
//
// The same statement looks at what else is kept for the viewer. It does not see what is not committed, so a viewer may
// come to have as many keys more than allowed as there are requests at that moment.
func (r *Request) Keep(ctx context.Context, answer []byte, limits Limits) error {
	if limits.AnswerBytes > 0 && len(answer) > limits.AnswerBytes {
		telemetry.FromContext(ctx).Refuse(telemetry.KeptAnswer)
		return apperr.BadInput(Header, "the answer has %d bytes; up to %d are kept under an %s: ask for fewer fields, or send the request without one",
			len(answer), limits.AnswerBytes, Header)
	}
	ctx = viewer.NewContext(ctx, viewer.System)
	n, err := ent.FromUnit(ctx).IdempotencyKey.Update().Where(r.is(), r.within(limits, len(answer))).SetAnswer(string(answer)).Save(ctx)
	switch {
	case err != nil:
		return fmt.Errorf("keep an answer under its idempotency key: %w", err)
	case n == 0:
		return r.full(ctx, limits)
	}
	return nil
}

// within returns the condition that there is room for an answer of so many bytes.
func (r *Request) within(limits Limits, bytes int) func(*entsql.Selector) {
	return func(s *entsql.Selector) {
		if limits.Keys == 0 && limits.Bytes == 0 {
			return
		}
		s.Where(entsql.P(func(b *entsql.Builder) {
			b.WriteString("(SELECT count(*) <= ").Arg(cmp.Or(limits.Keys, math.MaxInt)).
				WriteString(" AND coalesce(sum(octet_length(").Ident(idempotencykey.FieldAnswer).WriteString(")), 0) <= ").
				Arg(cmp.Or(limits.Bytes, math.MaxInt) - bytes).
				WriteString(" FROM ").Ident(idempotencykey.Table).WriteString(" WHERE ").Ident(idempotencykey.FieldViewer).WriteString(" = ").
				Arg(r.Viewer).WriteByte(')')
		}))
	}
}

// full returns the error for a viewer for whom no more is kept.
func (r *Request) full(ctx context.Context, limits Limits) error {
	telemetry.FromContext(ctx).Refuse(telemetry.KeptKeys)
	oldest, err := ent.FromUnit(ctx).IdempotencyKey.Query().Where(idempotencykey.Viewer(r.Viewer)).
		Order(ent.Asc(idempotencykey.FieldExpiresAt)).Select(idempotencykey.FieldExpiresAt).First(ctx)
	if err != nil {
		return fmt.Errorf("look for the oldest of a viewer's idempotency keys: %w", err)
	}
	wait := max(1, int(math.Ceil(time.Until(oldest.ExpiresAt).Seconds())))
	return &apperr.Error{Code: apperr.CodeRateLimited, More: map[string]any{"retryAfter": wait},
		Message: fmt.Sprintf("too much is kept under your %ss: up to %s; send the request without one, or wait until older ones expire", Header, limits.perViewer())}
}

// perViewer describes what is kept for one viewer.
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

// Sweep removes the keys that have expired and returns how many there were.
func Sweep(ctx context.Context, db *database.DB) (int, error) {
	return expiry.Some(Expired).All(ctx, db)
}

// Expired removes some keys that had expired at a time, as expiry.Some does. An index finds them.
func Expired(ctx context.Context, now time.Time) (int, error) {
	c := ent.FromUnit(ctx)
	expired, err := c.IdempotencyKey.Query().Where(idempotencykey.ExpiresAtLT(now)).
		Order(ent.Asc(idempotencykey.FieldExpiresAt)).Limit(expiry.Limit).IDs(ctx)
	if err != nil || len(expired) == 0 {
		return 0, err
	}
	// A key that was claimed anew in the meantime has a new life.
	return c.IdempotencyKey.Delete().Where(idempotencykey.IDIn(expired...), idempotencykey.ExpiresAtLT(now)).Exec(ctx)
}
