package graphqlhttp

import (
	"fmt"
	"maps"
	"net/http"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"forge/internal/apperr"
	"forge/internal/telemetry"
)

// refusal is the answer to a request that has no valid operation, or whose operation is not run.
// The message never repeats what the client sent, which may be a password.
type refusal struct {
	status  int
	code    apperr.Code
	message string
	header  [2]string      // a header that the status requires; empty for none
	more    map[string]any // further entries of extensions, beside the code
}

// LocalNames is the message for a request whose Host is not a name of this machine, on a server
// that answers only requests with such names.
const LocalNames = "AUTH is off, so only requests from this machine that name it are answered: Host must be localhost, a name that ends with .localhost, " +
	"or a loopback address such as 127.0.0.1, with a port or without; AUTH_OFF_ANYWHERE lifts this"

const example = `as in {"query": "{ __typename }"}`

var (
	wrongMethod = &refusal{status: http.StatusMethodNotAllowed, code: apperr.CodeBadUserInput,
		message: "only GET and POST are allowed", header: [2]string{"Allow", "GET, POST"}}
	notAcceptable = &refusal{status: http.StatusNotAcceptable, code: apperr.CodeBadUserInput,
		message: "the Accept header allows neither application/graphql-response+json nor application/json, in UTF-8"}
	wrongType = &refusal{status: http.StatusUnsupportedMediaType, code: apperr.CodeBadUserInput,
		message: "a POST must have Content-Type: application/json, in UTF-8"}
	wrongCoding = &refusal{status: http.StatusUnsupportedMediaType, code: apperr.CodeBadUserInput,
		message: "the body of a request must not be compressed", header: [2]string{"Accept-Encoding", "identity"}}
	batched = malformed("the body of the request must be a JSON object, not an array: one operation, " + example)
	tooSlow = &refusal{status: http.StatusRequestTimeout, code: apperr.CodeTimeout,
		message: "the body of the request did not arrive in time", header: [2]string{"Connection", "close"}}
	overloaded = &refusal{status: http.StatusServiceUnavailable, code: apperr.CodeUnavailable,
		message: "the server has more to do than it can; try again", header: [2]string{"Retry-After", "1"}}
	// Status 421 means that this server does not serve that name (RFC 9110, sections 7.4 and
	// 15.5.20).
	otherHost = &refusal{status: http.StatusMisdirectedRequest, code: apperr.CodeForbidden, message: LocalNames}
	cancelled = &refusal{status: http.StatusServiceUnavailable, code: apperr.CodeTimeout,
		message: "the request was given up before it was answered"}
)

func (r *refusal) errors() gqlerror.List {
	extensions := map[string]any{"code": r.code}
	maps.Copy(extensions, r.more)
	return gqlerror.List{{Message: r.message, Extensions: extensions}}
}

// RefuseOrigin refuses a request that a page of another origin has sent. If origin is not "", the
// answer names the setting that allows the origin.
func RefuseOrigin(w http.ResponseWriter, r *http.Request, origin string) {
	telemetry.FromContext(r.Context()).Refuse(telemetry.Origin)
	message := "a page of another origin sent this from a browser, and CORS_ORIGINS does not name that origin"
	if origin != "" {
		message = "a page of another origin sent this from a browser: CORS_ORIGINS=" + origin + " lets it in"
	}
	refuse(w, r, &refusal{status: http.StatusForbidden, code: apperr.CodeForbidden, message: message})
}

// RefuseHost refuses a request whose Host is not a name of this machine.
func RefuseHost(w http.ResponseWriter, r *http.Request) { refuse(w, r, otherHost) }

// RefuseToken refuses a request whose bearer token is not valid, and gives the reason in the answer
// (https://www.rfc-editor.org/rfc/rfc6750#section-3). The reason must not contain quotes.
func RefuseToken(w http.ResponseWriter, r *http.Request, reason string) {
	refuse(w, r, &refusal{status: http.StatusUnauthorized, code: apperr.CodeUnauthenticated, message: reason,
		header: [2]string{"WWW-Authenticate", `Bearer error="invalid_token", error_description="` + reason + `"`}})
}

// RefuseForNow refuses a request whose token cannot be verified at present. The answer has status
// 503 and the code UNAVAILABLE.
func RefuseForNow(w http.ResponseWriter, r *http.Request, reason string) {
	refuse(w, r, &refusal{status: http.StatusServiceUnavailable, code: apperr.CodeUnavailable, message: reason, header: overloaded.header})
}

func refuse(w http.ResponseWriter, r *http.Request, why *refusal) {
	media, _ := negotiate(r.Header.Values("Accept"))
	a := newAnswer(w, media)
	a.record = telemetry.FromContext(r.Context())
	a.refuse(why)
}

func malformed(format string, args ...any) *refusal {
	return &refusal{status: http.StatusBadRequest, code: apperr.CodeBadUserInput, message: fmt.Sprintf(format, args...)}
}

func tooLarge(limit int64) *refusal {
	return &refusal{status: http.StatusRequestEntityTooLarge, code: apperr.CodeBadUserInput,
		message: fmt.Sprintf("the body of the request is larger than the %d bytes that are allowed", limit)}
}

func tooManyValues(name string, n int) *refusal {
	return &refusal{status: http.StatusBadRequest, code: apperr.CodeTooComplex, more: map[string]any{"limit": MaxValues, "actual": n},
		message: fmt.Sprintf("there are %d values in %s; at most %d are allowed", n, name, MaxValues)}
}

func notByGet(operation ast.Operation) *refusal {
	return &refusal{status: http.StatusMethodNotAllowed, code: apperr.CodeBadUserInput, header: [2]string{"Allow", "POST"},
		message: fmt.Sprintf("GET runs queries only; send a %s by POST", strings.ToLower(string(operation)))}
}
