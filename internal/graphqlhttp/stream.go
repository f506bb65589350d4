package graphqlhttp

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"forge/internal/apperr"
	"forge/internal/telemetry"
)

// eventStream is the media type of server-sent events.
const eventStream = "text/event-stream"

// WantsEvents reports whether a request asks for server-sent events: its Accept header prefers them
// to JSON, or lists them before JSON. A media range with * does not count.
func WantsEvents(r *http.Request) bool {
	accept := strings.Join(r.Header["Accept"], ",")
	if !strings.Contains(accept, eventStream) {
		return false
	}
	var events, json float64
	for part := range strings.SplitSeq(accept, ",") {
		switch name, quality := parseRange(part); name {
		case eventStream:
			if quality > json {
				events = max(events, quality)
			}
		case plainJSON, responseJSON:
			json = max(json, quality)
		}
	}
	return events > 0 && events >= json
}

// Read returns the parameters of an operation that is answered with a stream. If it has to refuse
// the request, it answers and returns false.
func (t Transport) Read(w http.ResponseWriter, r *http.Request) (*graphql.RawParams, bool) {
	params, refused := t.read(w, r, true)
	if refused != nil {
		refuse(w, r, refused)
		return nil, false
	}
	return params, true
}

// ParseParams returns the parameters of an operation in a JSON object, which is not in the body of
// a request. Messages call the object by name. If the error's code is not BAD_USER_INPUT, the
// object is well formed, but asks for too much.
func ParseParams(name string, text []byte) (*graphql.RawParams, *gqlerror.Error) {
	params, refused := fromJSON(name, text)
	if refused != nil {
		return nil, refused.errors()[0]
	}
	return params, nil
}

// RefuseStream refuses a request for a stream that this server cannot deliver, with status 400.
func RefuseStream(w http.ResponseWriter, r *http.Request, reason string) {
	refuse(w, r, malformed("%s", reason))
}

// RefuseByGet refuses an operation that was sent by GET, and that GET may not run.
func RefuseByGet(w http.ResponseWriter, r *http.Request, operation ast.Operation) {
	refuse(w, r, notByGet(operation))
}

// RefuseTooMany refuses a request because the server does as much as it may. reason says what of.
// The answer has status 503 and Retry-After.
func RefuseTooMany(w http.ResponseWriter, r *http.Request, limit telemetry.Limit, reason string) {
	telemetry.FromContext(r.Context()).Refuse(limit)
	RefuseForNow(w, r, reason)
}

// AsResponse returns the body of an answer that has one error and nothing else.
func AsResponse(err *gqlerror.Error) []byte {
	return fmt.Appendf(nil, `{"errors":%s}`, mustMarshal(gqlerror.List{err}))
}

// onlyStreamed is the refusal of a subscription that was sent as an ordinary request.
var onlyStreamed = &refusal{status: http.StatusBadRequest, code: apperr.CodeBadUserInput,
	message: "a subscription has more than one answer, so it needs a stream: send it over a WebSocket with the subprotocol graphql-transport-ws, " +
		"or with Accept: text/event-stream"}
