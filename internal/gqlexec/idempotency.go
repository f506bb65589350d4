package gqlexec

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/99designs/gqlgen/graphql"
	"github.com/google/uuid"

	"forge/internal/idempotency"
	"forge/internal/viewer"
)

// keyed returns the idempotency request of a mutation. It returns nil if the request has no
// idempotency key. Keys belong to viewers. With AUTH=off, all clients share the same keys. With
// AUTH=on, an anonymous viewer has none, because the answers stored while AUTH was off belong to
// others.
func (a *attempt) keyed(ctx context.Context) (*idempotency.Request, error) {
	key := a.op.Headers.Get(idempotency.Header)
	if key == "" || viewer.RoleOf(ctx) == viewer.Anonymous {
		return nil, nil
	}
	var owner string
	if v := viewer.FromContext(ctx); v.ID != uuid.Nil {
		owner = v.ID.String()
		if v.Role == viewer.Admin {
			// An administrator who is demoted must not get answers that were stored for an
			// administrator.
			owner += " as an administrator"
		}
	}
	return idempotency.NewRequest(owner, key, a.op.RawQuery, a.op.OperationName, a.op.Variables)
}

// seal replaces the fingerprint of a request whose password was hashed by one that takes as long to
// guess. It does so once, however often the operation is attempted.
func (a *attempt) seal(ctx context.Context) error {
	secret := func(p preparation) bool { return p.value != nil }
	if a.options.Derive == nil || !slices.ContainsFunc(slices.Collect(maps.Values(a.prepared)), secret) {
		return nil
	}
	if a.sealed == "" {
		salt := sha256.Sum256([]byte("forge: a fingerprint\x00" + a.key.Viewer + "\x00" + a.key.Key))
		key, err := a.options.Derive(ctx, a.key.Fingerprint, salt[:])
		if err != nil {
			return err
		}
		a.sealed = hex.EncodeToString(key)
	}
	a.key.Fingerprint = a.sealed
	return nil
}

// claim claims the request's key for this operation. It returns the stored answer if the key was
// answered before, and otherwise nil.
func (a *attempt) claim(ctx context.Context) (*graphql.Response, error) {
	stored, err := a.key.Claim(ctx, a.options.IdempotencyTTL)
	if stored == nil || err != nil {
		return nil, err
	}
	response := new(graphql.Response)
	if err := json.Unmarshal(stored, response); err != nil {
		return nil, fmt.Errorf("read a stored answer: %w", err)
	}
	return response, nil
}

// claimTogether claims the request's key together with the first statement of the operation, which
// fails if the key was answered before; see keyRefused. It returns false, and has done nothing, if
// the key has to be claimed by a statement of its own.
func (a *attempt) claimTogether(ctx context.Context) (bool, error) {
	if a.stepwise {
		return false, nil
	}
	return a.unit.BeginWith(ctx, a.key.Claiming(a.options.IdempotencyTTL))
}

// keyRefused reports whether the attempt failed because the key was answered before, or its answer
// could not be stored. The next attempt finds out more. It does so, too, if the attempt failed
// before its first statement: then the key was not claimed, and may have been answered at a time
// when the mutation was not refused.
func (a *attempt) keyRefused() bool {
	if a.key == nil || a.stepwise {
		return false
	}
	const claimAlone = 1
	return idempotency.Refused(a.unit.AbortedBy()) || a.failed.Load() && a.unit.Cost().Statements == claimAlone
}

// keep stores the answer under the request's key, together with the changes of the operation, which
// the function that it returns commits. The stored answer has the same bytes as the one that is
// sent, except for the position in the database's log. Administrators may store any number of keys.
func (a *attempt) keep(ctx context.Context, response *graphql.Response) (commit func(context.Context) error, err error) {
	limits := a.options.Idempotency
	if viewer.RoleOf(ctx) == viewer.Admin {
		limits.Keys, limits.Bytes = 0, 0
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(response); err != nil {
		return nil, fmt.Errorf("write an answer to store: %w", err)
	}
	if a.stepwise {
		return a.unit.Commit, a.key.Keep(ctx, b.Bytes(), limits)
	}
	statement, err := a.key.Keeping(ctx, b.Bytes(), limits)
	return func(ctx context.Context) error { return a.unit.CommitAfter(ctx, statement) }, err
}
