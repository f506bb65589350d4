package application

import (
	"time"

	"github.com/99designs/gqlgen/graphql"

	"forge/internal/admission"
	"forge/internal/graphqlhttp"
	"forge/internal/idempotency"
	"forge/internal/password"
	"forge/internal/session"
)

// Config is how operations are handled.
type Config struct {
	Development    bool
	HeldTooLong    time.Duration
	IdempotencyTTL time.Duration
	Idempotency    idempotency.Limits
	Limits         Limits
	Documents      graphql.HandlerExtension
	MaxBodyBytes   int64
	Gate           *admission.Gate
	Unsent         *graphqlhttp.Unsent
	RequestTimeout time.Duration
	AloneReads     bool
	CursorKey      []byte
	Passwords      *password.Hasher
	Sessions       *session.Sessions
	Revocations    *session.Revocations
}

// Limits bound an operation.
type Limits struct {
	Depth, Aliases, RootFields, Directives, Cost, Tokens, AnswerBytes int
}
