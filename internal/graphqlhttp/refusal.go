package graphqlhttp

import (
	"cmp"
	"fmt"
	"net/http"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"forge/internal/fault"
	"forge/internal/telemetry"
)

// refusal is the answer to a request that no operation could be taken from, or whose operation is not run. Its message never
// repeats what was sent: that may be a password.
type refusal struct {
	status  int
	code    fault.Code
	message string
	header  [2]string // a header that the status asks for, if there is one
}

// LocalNames says which requests are answered by a server that is for its own machine alone.
const LocalNames = "AUTH is off, so only requests from this machine that name it are answered: Host must be localhost, a name that ends with .localhost, " +
	"or a loopback address such as 127.0.0.1, with a port or without; AUTH_OFF_ANYWHERE lifts this"

const example = `as in {"query": "{ __typename }"}`

var (
	wrongMethod = &refusal{http.StatusMethodNotAllowed, fault.BadUserInput,
		"only GET and POST are allowed", [2]string{"Allow", "GET, POST"}}
	notAcceptable = &refusal{http.StatusNotAcceptable, fault.BadUserInput,
		"the Accept header allows neither application/graphql-response+json nor application/json, in UTF-8", [2]string{}}
	wrongType = &refusal{http.StatusUnsupportedMediaType, fault.BadUserInput,
		"a POST must have Content-Type: application/json, in UTF-8", [2]string{}}
	wrongCoding = &refusal{http.StatusUnsupportedMediaType, fault.BadUserInput,
		"the body of a request must not be compressed", [2]string{"Accept-Encoding", "identity"}}
	batched = malformed("the body of the request must be a JSON object, not an array: one operation, " + example)
	tooSlow = &refusal{http.StatusRequestTimeout, fault.Timeout,
		"the body of the request did not arrive in time", [2]string{"Connection", "close"}}
	overloaded = &refusal{http.StatusServiceUnavailable, fault.Unavailable,
		"the server has more to do than it can; try again", [2]string{"Retry-After", "1"}}
	// 421 says what is wrong: this server is not the one for that name (RFC 9110, sections 7.4 and 15.5.20).
	otherHost = &refusal{http.StatusMisdirectedRequest, fault.Forbidden, LocalNames, [2]string{}}
	givenUp   = &refusal{http.StatusServiceUnavailable, fault.Timeout,
		"the request was given up before it was answered", [2]string{}}
)

func (r *refusal) errors() gqlerror.List {
	return gqlerror.List{{Message: r.message, Extensions: map[string]any{"code": r.code}}}
}

// RefuseOrigin answers a request that a page of another origin sent, which is named unless it is "".
func RefuseOrigin(w http.ResponseWriter, r *http.Request, origin string) {
	telemetry.FromContext(r.Context()).Refuse(telemetry.Origin)
	refuse(w, r, &refusal{http.StatusForbidden, fault.Forbidden, "a page of another origin sent this from a browser, and " +
		"CORS_ORIGINS does not name it: CORS_ORIGINS=" + cmp.Or(origin, "https://app.example.com") + " lets that origin in", [2]string{}})
}

// RefuseHost answers a request for a name that is none of this machine's own.
func RefuseHost(w http.ResponseWriter, r *http.Request) { refuse(w, r, otherHost) }

// RefuseToken answers a request whose bearer token does not hold, and says why: https://www.rfc-editor.org/rfc/rfc6750#section-3. The reason
// must have no quotes in it.
func RefuseToken(w http.ResponseWriter, r *http.Request, reason string) {
	refuse(w, r, &refusal{http.StatusUnauthorized, fault.Unauthenticated, reason,
		[2]string{"WWW-Authenticate", `Bearer error="invalid_token", error_description="` + reason + `"`}})
}

// RefuseForNow answers a request that the server cannot judge yet.
func RefuseForNow(w http.ResponseWriter, r *http.Request, reason string) {
	refuse(w, r, &refusal{http.StatusServiceUnavailable, fault.Unavailable, reason, overloaded.header})
}

func refuse(w http.ResponseWriter, r *http.Request, why *refusal) {
	media, _ := negotiate(r.Header.Values("Accept"))
	a := newAnswer(w, media)
	a.record = telemetry.FromContext(r.Context())
	a.refuse(why)
}

func malformed(format string, args ...any) *refusal {
	return &refusal{status: http.StatusBadRequest, code: fault.BadUserInput, message: fmt.Sprintf(format, args...)}
}

func tooLarge(limit int64) *refusal {
	return &refusal{status: http.StatusRequestEntityTooLarge, code: fault.BadUserInput,
		message: fmt.Sprintf("the body of the request is larger than the %d bytes that are allowed", limit)}
}

func notByGet(operation ast.Operation) *refusal {
	return &refusal{http.StatusMethodNotAllowed, fault.BadUserInput,
		fmt.Sprintf("GET runs queries only; send a %s by POST", strings.ToLower(string(operation))), [2]string{"Allow", "POST"}}
}
