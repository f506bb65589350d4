package gqlexec

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	"github.com/99designs/gqlgen/graphql"
	"github.com/google/uuid"

	"forge/internal/idempotency"
	"forge/internal/viewer"
)

// keyed returns the idempotency request of a mutation with an idempotency key, and nil without one.
// Keys belong to the viewer; where AUTH is off, all clients share theirs. With AUTH on,
// an anonymous viewer has no keys: the answers that were stored while AUTH was off are not theirs.
func (a *attempt) keyed(ctx context.Context) (*idempotency.Request, error) {
	key := a.op.Headers.Get(idempotency.Header)
	if key == "" || viewer.RoleOf(ctx) == viewer.Anonymous {
		return nil, nil
	}
	var owner string
	if v := viewer.FromContext(ctx); v.ID != uuid.Nil {
		owner = v.ID.String()
		if v.Role == viewer.Admin {
			// A demoted administrator must not replay an administrator's answer.
			owner += " as an administrator"
		}
	}
	return idempotency.NewRequest(owner, key, a.op.RawQuery, a.op.OperationName, a.op.Variables)
}

// claim claims the request's key. If the request was answered before, it returns that answer, and
// otherwise nil.
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

// storeAnswer stores the answer under the request's key, with the changes of the operation. A
// stored answer, encoded again, is the same to the byte. Administrators may have any number of
// keys.
func (a *attempt) storeAnswer(ctx context.Context, response *graphql.Response) error {
	limits := a.options.Idempotency
	if viewer.RoleOf(ctx) == viewer.Admin {
		limits.Keys, limits.Bytes = 0, 0
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(response); err != nil {
		return fmt.Errorf("write an answer to store: %w", err)
	}
	return a.key.Keep(ctx, b.Bytes(), limits)
}
