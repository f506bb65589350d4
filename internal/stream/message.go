package stream

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/99designs/gqlgen/graphql"
	"github.com/coder/websocket"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"forge/internal/apperr"
	"forge/internal/graphqlhttp"
)

// subprotocol is the name of the protocol:
// https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md
const subprotocol = "graphql-transport-ws"

// These are the close codes of the protocol.
const (
	badMessage    websocket.StatusCode = 4400
	unauthorized  websocket.StatusCode = 4401 // there was no connection_init
	forbidden     websocket.StatusCode = 4403
	initTimeout   websocket.StatusCode = 4408
	idInUse       websocket.StatusCode = 4409
	tooManyInits  websocket.StatusCode = 4429
	noCloseStatus websocket.StatusCode = 1006 // the connection broke
)

// A closing is the reason to close a WebSocket.
type closing struct {
	code   websocket.StatusCode
	reason string
}

// Error returns the reason.
func (c *closing) Error() string { return c.reason }

// closef returns a reason to close a WebSocket.
func closef(code websocket.StatusCode, format string, args ...any) *closing {
	return &closing{code, fmt.Sprintf(format, args...)}
}

// maxReason is the most bytes of a reason in a close frame.
const maxReason = 123

// cutReason returns a reason that fits into a close frame.
func cutReason(reason string) string {
	if len(reason) <= maxReason {
		return reason
	}
	return strings.ToValidUTF8(reason[:maxReason-len("…")], "") + "…"
}

// A message is what a client sends.
type message struct {
	kind, id string
	payload  json.RawMessage // nil if there is none
}

// maxID is the most bytes of an operation's ID.
const maxID = 256

// parseMessage returns the message in a text. The error says what is wrong with it.
func parseMessage(text []byte) (m message, wrong *closing) {
	if !utf8.Valid(text) {
		return m, closef(badMessage, "the message is not valid UTF-8")
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(text, &members); err != nil || members == nil {
		return m, closef(badMessage, "the message is not a JSON object")
	}
	if err := json.Unmarshal(members["type"], &m.kind); err != nil || m.kind == "" {
		return m, closef(badMessage, "the message has no type")
	}
	if m.payload = members["payload"]; string(m.payload) == "null" {
		m.payload = nil
	}
	if m.payload != nil && m.payload[0] != '{' {
		return m, closef(badMessage, "the payload must be an object")
	}
	switch m.kind {
	case "connection_init", "ping", "pong":
		return m, nil
	case "subscribe", "complete":
		if err := json.Unmarshal(members["id"], &m.id); err != nil || m.id == "" || len(m.id) > maxID {
			return m, closef(badMessage, "the id must be a text of 1 to %d bytes", maxID)
		}
		return m, nil
	default:
		return m, closef(badMessage, "the type must be connection_init, ping, pong, subscribe or complete")
	}
}

// authorization returns the value of authorization in the payload of connection_init, in any case.
// It returns false if there is none.
func (m message) authorization() (value string, present bool, wrong *closing) {
	if m.payload == nil {
		return "", false, nil
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(m.payload, &members); err != nil {
		return "", false, closef(badMessage, "the payload must be an object")
	}
	for name, member := range members {
		if !strings.EqualFold(name, "authorization") || string(member) == "null" {
			continue
		}
		if present {
			return "", true, closef(forbidden, "there is more than one authorization")
		}
		if err := json.Unmarshal(member, &value); err != nil {
			return "", true, closef(forbidden, "authorization must be a text")
		}
		present = true
	}
	return value, present, nil
}

// parameters returns the parameters in the payload of subscribe. refused is an error for the
// operation, and wrong one for the connection.
func (m message) parameters() (params *graphql.RawParams, refused *gqlerror.Error, wrong *closing) {
	if m.payload == nil {
		return nil, nil, closef(badMessage, "subscribe needs a payload, with the operation")
	}
	params, err := graphqlhttp.ParseParams("the payload", m.payload)
	if err == nil {
		return params, nil, nil
	}
	if err.Extensions["code"] == apperr.CodeBadUserInput {
		return nil, nil, closef(badMessage, "%s", err.Message)
	}
	return nil, err, nil
}

// afterOf returns the cursor in the extension after of an operation, or "" if there is none.
func afterOf(params *graphql.RawParams) (after string, refused *gqlerror.Error) {
	value := params.Extensions["after"]
	after, ok := value.(string)
	if value != nil && !ok {
		return "", refusal(apperr.CodeBadUserInput, "extensions.after must be a text: the cursor of a change")
	}
	return after, nil
}

// refusal returns an error for a client.
func refusal(code apperr.Code, text string) *gqlerror.Error {
	return &gqlerror.Error{Message: text, Extensions: map[string]any{"code": code}}
}

// internal returns the error for a client whose operation failed here.
func internal(requestID string) *gqlerror.Error {
	err := refusal(apperr.CodeInternal, "internal error")
	err.Extensions["requestId"] = requestID
	return err
}

// errorsOf returns the list of errors in the body of an answer.
func errorsOf(body []byte) json.RawMessage {
	var answer struct{ Errors json.RawMessage }
	if err := json.Unmarshal(body, &answer); err != nil || answer.Errors == nil {
		return json.RawMessage("[]")
	}
	return answer.Errors
}
