package graphqlhttp

import (
	"bytes"
	"io"
	"net/http"
	"strconv"

	"github.com/99designs/gqlgen/graphql"

	"forge/internal/apperr"
)

// maxSkipped is the largest body that is read and discarded after a refusal, so that the client can
// use its connection again. For a larger body the connection is closed, because a new connection
// costs less than reading the body.
const maxSkipped = 16 << 10

// overload is the answer to requests that are refused under overload. It is made once, because
// refusals take time from the requests that are admitted. All these answers share the header
// values.
var overload = struct {
	body                      []byte
	length, retryAfter, close []string
}{
	body:       overloadBody(),
	length:     []string{strconv.Itoa(len(overloadBody()))},
	retryAfter: []string{overloaded.header[1]},
	close:      []string{"close"},
}

func overloadBody() []byte {
	var b bytes.Buffer
	appendResponse(&b, &graphql.Response{Errors: overloaded.errors()})
	return b.Bytes()
}

// RefuseOverload refuses a request of which only the headers were read. It sends the answer at
// once, while net/http by itself would wait for the body. It returns the status and the code of the
// answer: 503 and UNAVAILABLE.
func RefuseOverload(w http.ResponseWriter, r *http.Request) (status int, code apperr.Code) {
	media, _ := negotiate(r.Header["Accept"])
	h := newAnswer(w, media).w.Header()
	h["Content-Length"] = overload.length
	h[overloaded.header[0]] = overload.retryAfter
	switch {
	case r.ContentLength == 0:
		w.WriteHeader(overloaded.status)
		_, _ = w.Write(overload.body) // an error means that the client has gone
	case r.ContentLength < 0 || r.ContentLength > maxSkipped:
		h["Connection"] = overload.close
		w.WriteHeader(overloaded.status)
		_, _ = w.Write(overload.body)
	default:
		connection := http.NewResponseController(w)
		_ = connection.EnableFullDuplex() // otherwise the answer waits for the body
		w.WriteHeader(overloaded.status)
		_, _ = w.Write(overload.body)
		_ = connection.Flush()
		_, _ = io.Copy(io.Discard, r.Body)
	}
	return overloaded.status, overloaded.code
}
