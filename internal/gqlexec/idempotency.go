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

// keyed returns the request that the operation is, if it is a mutation with an idempotency key. Keys belong to the viewer; all share theirs where AUTH
// is off. Who has not signed in has none: nothing is done for them under a key, and what was done where AUTH was off is not theirs to see.
func keyed(ctx context.Context) (*idempotency.Request, error) {
	op := graphql.GetOperationContext(ctx)
	key := op.Headers.Get(idempotency.Header)
	if key == "" || !isMutation(ctx) || viewer.RoleOf(ctx) == viewer.Anonymous {
		return nil, nil
	}
	var owner string
	if v := viewer.FromContext(ctx); v.ID != uuid.Nil {
		owner = v.ID.String()
		if v.Role == viewer.Admin {
			owner += " as an administrator" // a demoted administrator must not replay an administrator's answer
		}
	}
	return idempotency.NewRequest(owner, key, op.RawQuery, op.OperationName, op.Variables)
}

// claim returns the answer that the request was given before, or nil if it was not sent before.
func (a *attempt) claim(ctx context.Context, request *idempotency.Request) (*graphql.Response, error) {
	known, err := request.Claim(ctx, a.IdempotencyTTL)
	if known == nil || err != nil {
		return nil, err
	}
	response := new(graphql.Response)
	if err := json.Unmarshal(known, response); err != nil {
		return nil, fmt.Errorf("read a kept answer: %w", err)
	}
	return response, nil
}

// keep stores the answer with what was done. Written again, it is the same to the byte. How many keys they have is no
// limit for administrators.
func (a *attempt) keep(ctx context.Context, request *idempotency.Request, response *graphql.Response) error {
	limits := a.Idempotency
	if viewer.RoleOf(ctx) == viewer.Admin {
		limits.Keys, limits.Bytes = 0, 0
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(response); err != nil {
		return fmt.Errorf("write an answer to keep: %w", err)
	}
	return request.Keep(ctx, b.Bytes(), limits)
}
