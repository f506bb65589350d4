// Package apperr holds the errors that clients see. Their codes are part of the API.
package apperr

import (
	"fmt"
	"strings"

	"forge/internal/message"
)

// Code is the value of extensions.code in the answer to a client. An application may define further
// codes.
type Code string

// These are the codes that the framework uses.
const (
	CodeParseFailed         Code = "GRAPHQL_PARSE_FAILED"
	CodeValidationFailed    Code = "GRAPHQL_VALIDATION_FAILED"
	CodeBadUserInput        Code = "BAD_USER_INPUT"
	CodeNotFound            Code = "NOT_FOUND"
	CodeConflict            Code = "CONFLICT"
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
	CodeCursorExpired       Code = "CURSOR_EXPIRED"
	CodeCursorLost          Code = "CURSOR_LOST"
	CodeInternal            Code = "INTERNAL"

	// These two codes are defined by the protocol of automatic persisted queries.
	CodePersistedQueryNotFound     Code = "PERSISTED_QUERY_NOT_FOUND"
	CodePersistedQueryNotSupported Code = "PERSISTED_QUERY_NOT_SUPPORTED"
)

// Error is an error whose message is written for the client.
type Error struct {
	Code    Code
	Message string         // says what is wrong, and what is allowed
	Field   string         // the path of the wrong argument, such as "input.items.0.name", or ""
	More    map[string]any // other entries for the error's extensions
	Cause   error          // the underlying error, which is logged and never sent

	text message.Text // that Message is made of
}

// In returns the message in a language. A message that was set by itself is translated if it is a
// key of the catalogue.
func (e *Error) In(l *message.Language) string {
	if e.text.Format != "" && e.Message == e.text.String() {
		return e.text.In(l)
	}
	return message.New(e.Message).In(l)
}

// Error returns the message, followed by the cause if there is one.
func (e *Error) Error() string {
	if e.Cause != nil {
		return fmt.Sprintf("%s: %v", e.Message, e.Cause)
	}
	return e.Message
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Cause }

// New returns an error of any code. Its message can be translated: format is its key in the
// catalogue.
func New(code Code, field, format string, args ...any) *Error {
	text := message.New(format, args...)
	return &Error{Code: code, Field: field, Message: text.String(), text: text}
}

// BadInput returns a BAD_USER_INPUT error about the argument at the path field.
func BadInput(field, format string, args ...any) *Error {
	return New(CodeBadUserInput, field, format, args...)
}

// NotFound returns a NOT_FOUND error about an object that does not exist, or that the viewer may
// not see.
func NotFound(id fmt.Stringer) *Error {
	e := New(CodeNotFound, "", "there is no %s", id)
	e.More = map[string]any{"id": id.String()}
	return e
}

// Conflict returns a CONFLICT error about the argument at the path field. The request is valid by
// itself, but not in the present state of the data.
func Conflict(field, format string, args ...any) *Error {
	return New(CodeConflict, field, format, args...)
}

// AlreadyTaken returns a CONFLICT error about the argument at the path field: another object has
// the same value, which must be unique.
func AlreadyTaken(field string) *Error {
	name := field[strings.LastIndexByte(field, '.')+1:]
	return New(CodeConflict, field, "this %s is taken", name)
}

// VersionConflict returns a CONFLICT error about an object that does not have the version that the
// client expected.
func VersionConflict(id fmt.Stringer, current int) *Error {
	e := New(CodeConflict, "", "%s has changed: its version is %d", id, current)
	e.More = map[string]any{"currentVersion": current}
	return e
}

// OutcomeUnknown returns an UNAVAILABLE error about a mutation that may or may not have been
// stored: the database did not report whether it committed. keyed tells whether the request has an
// idempotency key. Only then can the client safely send the request again, and the message says so.
func OutcomeUnknown(cause error, keyed bool) *Error {
	message := "it is not known whether this was stored: the database did not say so in time; " +
		"look before you send it again. What has an Idempotency-Key can be sent again as it is"
	more := map[string]any{"outcome": "unknown"}
	if keyed {
		message = "it is not known whether this was stored: the database did not say so in time; " +
			"send it again with the same Idempotency-Key, and it is done once and answered"
		more["retryAfter"] = 1
	}
	return &Error{Code: CodeUnavailable, Message: message, More: more, Cause: cause}
}

// Unauthenticated returns an UNAUTHENTICATED error about something that anonymous requests may not
// do.
func Unauthenticated() *Error {
	return &Error{Code: CodeUnauthenticated, Message: "sign in first: this is not for anonymous requests"}
}

// Forbidden returns a FORBIDDEN error about the argument at the path field. field is "" if the
// error is not about an argument.
func Forbidden(field, format string, args ...any) *Error {
	return New(CodeForbidden, field, format, args...)
}
