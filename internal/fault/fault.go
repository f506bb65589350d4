// Package fault holds the errors that are written for whoever sent the request. Their codes are part of the API.
package fault

import (
	"fmt"
	"strings"
)

// Code is what a client finds in extensions.code.
type Code string

// The codes of the API, beside those for documents that do not parse or validate.
const (
	ParseFailed         Code = "GRAPHQL_PARSE_FAILED"
	ValidationFailed    Code = "GRAPHQL_VALIDATION_FAILED"
	BadUserInput        Code = "BAD_USER_INPUT"
	NotFound            Code = "NOT_FOUND"
	Conflict            Code = "CONFLICT"
	InsufficientStock   Code = "INSUFFICIENT_STOCK"
	Unauthenticated     Code = "UNAUTHENTICATED"
	Forbidden           Code = "FORBIDDEN"
	TooComplex          Code = "QUERY_TOO_COMPLEX"
	TooDeep             Code = "QUERY_TOO_DEEP"
	TooManyAliases      Code = "TOO_MANY_ALIASES"
	Timeout             Code = "TIMEOUT"
	OperationNotAllowed Code = "OPERATION_NOT_ALLOWED"
	Unavailable         Code = "UNAVAILABLE"
	IdempotencyConflict Code = "IDEMPOTENCY_CONFLICT"
	RateLimited         Code = "RATE_LIMITED"
	Internal            Code = "INTERNAL"

	// Clients that send hashes in the place of documents know what to do about these.
	PersistedQueryNotFound     Code = "PERSISTED_QUERY_NOT_FOUND"
	PersistedQueryNotSupported Code = "PERSISTED_QUERY_NOT_SUPPORTED"
)

// Error is an error that a client may read.
type Error struct {
	Code    Code
	Message string         // a sentence that names what is wrong and what is allowed
	Field   string         // the path of the argument at fault, "input.items.0.quantity", if there is one
	More    map[string]any // other entries for extensions
	Cause   error          // for the log only
}

// Error returns the message, and the cause if there is one.
func (e *Error) Error() string {
	if e.Cause != nil {
		return fmt.Sprintf("%s: %v", e.Message, e.Cause)
	}
	return e.Message
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Cause }

// Input returns a BAD_USER_INPUT about the argument at the path field.
func Input(field, format string, args ...any) *Error {
	return &Error{Code: BadUserInput, Field: field, Message: fmt.Sprintf(format, args...)}
}

// Missing returns a NOT_FOUND about id. What may not be seen is missing, too.
func Missing(id fmt.Stringer) *Error {
	return &Error{Code: NotFound, Message: fmt.Sprintf("there is no %s", id), More: map[string]any{"id": id.String()}}
}

// Unfit returns a CONFLICT with the state that things are in.
func Unfit(field, format string, args ...any) *Error {
	return &Error{Code: Conflict, Field: field, Message: fmt.Sprintf(format, args...)}
}

// Taken returns a CONFLICT about the argument at the path field: another object has its value.
func Taken(field string) *Error {
	name := field[strings.LastIndexByte(field, '.')+1:]
	return &Error{Code: Conflict, Field: field, Message: fmt.Sprintf("this %s is taken", name)}
}

// NameTaken returns a CONFLICT about a username or an email that somebody else has, without saying which: emails are not for everybody to know.
func NameTaken() *Error {
	return &Error{Code: Conflict, Message: "the username or the email is taken"}
}

// Stale returns a CONFLICT about the object id, which has a version that the client did not expect.
func Stale(id fmt.Stringer, current int) *Error {
	return &Error{Code: Conflict, Message: fmt.Sprintf("%s has changed: its version is %d", id, current),
		More: map[string]any{"currentVersion": current}}
}

// Unknown returns an UNAVAILABLE about a mutation of which the database has not said whether it is
// stored. keyed says that it has an idempotency key: only then it is good to send it again.
func Unknown(cause error, keyed bool) *Error {
	message := "it is not known whether this was stored: the database did not say so in time; look before you send it again. " +
		"What has an Idempotency-Key can be sent again as it is"
	more := map[string]any{"outcome": "unknown"}
	if keyed {
		message = "it is not known whether this was stored: the database did not say so in time; " +
			"send it again with the same Idempotency-Key, and it is done once and answered"
		more["retryAfter"] = 1
	}
	return &Error{Code: Unavailable, Message: message, More: more, Cause: cause}
}

// SignIn returns an UNAUTHENTICATED: what was asked for is not for somebody unknown.
func SignIn() *Error {
	return &Error{Code: Unauthenticated, Message: "sign in first: this is not for anonymous requests"}
}

// Closed returns a FORBIDDEN about the argument at the path field, if there is one.
func Closed(field, format string, args ...any) *Error {
	return &Error{Code: Forbidden, Field: field, Message: fmt.Sprintf(format, args...)}
}

// Short returns an INSUFFICIENT_STOCK about the product id, of which there are available.
func Short(id fmt.Stringer, available int32) *Error {
	return &Error{Code: InsufficientStock, Message: fmt.Sprintf("there are only %d of %s", available, id),
		More: map[string]any{"productId": id.String(), "available": available}}
}
