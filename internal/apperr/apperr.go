// Package apperr holds the errors that are written for whoever sent the request. Their codes are part of the API.
package apperr

import (
	"fmt"
	"strings"
)

// Code is what a client finds in extensions.code.
type Code string

// The codes of the API, beside those for documents that do not parse or validate.
const (
	CodeParseFailed         Code = "GRAPHQL_PARSE_FAILED"
	CodeValidationFailed    Code = "GRAPHQL_VALIDATION_FAILED"
	CodeBadUserInput        Code = "BAD_USER_INPUT"
	CodeNotFound            Code = "NOT_FOUND"
	CodeConflict            Code = "CONFLICT"
	CodeInsufficientStock   Code = "INSUFFICIENT_STOCK"
	CodeUnauthenticated     Code = "UNAUTHENTICATED"
	CodeForbidden           Code = "FORBIDDEN"
	CodeTooComplex          Code = "QUERY_TOO_COMPLEX"
	CodeTooDeep             Code = "QUERY_TOO_DEEP"
	CodeTooManyAliases      Code = "TOO_MANY_ALIASES"
	CodeTimeout             Code = "TIMEOUT"
	CodeOperationNotAllowed Code = "OPERATION_NOT_ALLOWED"
	CodeUnavailable         Code = "UNAVAILABLE"
	CodeIdempotencyConflict Code = "IDEMPOTENCY_CONFLICT"
	CodeRateLimited         Code = "RATE_LIMITED"
	CodeInternal            Code = "INTERNAL"

	// Clients that send hashes in the place of documents know what to do about these.
	CodePersistedQueryNotFound     Code = "PERSISTED_QUERY_NOT_FOUND"
	CodePersistedQueryNotSupported Code = "PERSISTED_QUERY_NOT_SUPPORTED"
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

// BadInput returns a BAD_USER_INPUT about the argument at the path field.
func BadInput(field, format string, args ...any) *Error {
	return &Error{Code: CodeBadUserInput, Field: field, Message: fmt.Sprintf(format, args...)}
}

// NotFound returns a NOT_FOUND about id. What may not be seen is missing, too.
func NotFound(id fmt.Stringer) *Error {
	return &Error{Code: CodeNotFound, Message: fmt.Sprintf("there is no %s", id), More: map[string]any{"id": id.String()}}
}

// Conflict returns a CONFLICT with the state that things are in.
func Conflict(field, format string, args ...any) *Error {
	return &Error{Code: CodeConflict, Field: field, Message: fmt.Sprintf(format, args...)}
}

// AlreadyTaken returns a CONFLICT about the argument at the path field: another object has its value.
func AlreadyTaken(field string) *Error {
	name := field[strings.LastIndexByte(field, '.')+1:]
	return &Error{Code: CodeConflict, Field: field, Message: fmt.Sprintf("this %s is taken", name)}
}

// LoginTaken returns a CONFLICT about a username or an email that somebody else has, without saying which: emails are not for everybody to know.
func LoginTaken() *Error {
	return &Error{Code: CodeConflict, Message: "the username or the email is taken"}
}

// VersionConflict returns a CONFLICT about the object id, which has a version that the client did not expect.
func VersionConflict(id fmt.Stringer, current int) *Error {
	return &Error{Code: CodeConflict, Message: fmt.Sprintf("%s has changed: its version is %d", id, current),
		More: map[string]any{"currentVersion": current}}
}

// OutcomeUnknown returns an UNAVAILABLE about a mutation of which the database has not said whether it is
// stored. keyed says that it has an idempotency key: only then it is good to send it again.
func OutcomeUnknown(cause error, keyed bool) *Error {
	message := "it is not known whether this was stored: the database did not say so in time; look before you send it again. " +
		"What has an Idempotency-Key can be sent again as it is"
	more := map[string]any{"outcome": "unknown"}
	if keyed {
		message = "it is not known whether this was stored: the database did not say so in time; " +
			"send it again with the same Idempotency-Key, and it is done once and answered"
		more["retryAfter"] = 1
	}
	return &Error{Code: CodeUnavailable, Message: message, More: more, Cause: cause}
}

// Unauthenticated returns an UNAUTHENTICATED: what was asked for is not for somebody unknown.
func Unauthenticated() *Error {
	return &Error{Code: CodeUnauthenticated, Message: "sign in first: this is not for anonymous requests"}
}

// Forbidden returns a FORBIDDEN about the argument at the path field, if there is one.
func Forbidden(field, format string, args ...any) *Error {
	return &Error{Code: CodeForbidden, Field: field, Message: fmt.Sprintf(format, args...)}
}

// InsufficientStock returns an INSUFFICIENT_STOCK about the product id, of which there are available.
func InsufficientStock(id fmt.Stringer, available int32) *Error {
	return &Error{Code: CodeInsufficientStock, Message: fmt.Sprintf("there are only %d of %s", available, id),
		More: map[string]any{"productId": id.String(), "available": available}}
}
