package graphqlhttp

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strconv"

	"github.com/99designs/gqlgen/graphql"

	"forge/internal/admission"
	"forge/internal/apperr"
)

// skipped is how much of a body is read, and thrown away, after a request was turned away: the client may use its connection again then.
// One that wants to send more gets a new connection, which is cheaper.
const skipped = 16 << 10

// away is the answer to a request that is turned away. It is made once: what it costs is taken from those that are let in. Its header's
// values are shared by all such answers.
var away = struct {
	body                      []byte
	length, retryAfter, close []string
}{
	body:       awayBody(),
	length:     []string{strconv.Itoa(len(awayBody()))},
	retryAfter: []string{overloaded.header[1]},
	close:      []string{"close"},
}

func awayBody() []byte {
	var b bytes.Buffer
	appendResponse(&b, &graphql.Response{Errors: overloaded.errors()})
	return b.Bytes()
}

// TurnAway refuses a request of which only the headers are read: 503 and UNAVAILABLE, which it returns. net/http would wait for the body
// before it sends the answer.
func TurnAway(w http.ResponseWriter, r *http.Request) (status int, code apperr.Code) {
	media, _ := negotiate(r.Header["Accept"])
	h := newAnswer(w, media).w.Header()
	h["Content-Length"] = away.length
	h[overloaded.header[0]] = away.retryAfter
	switch {
	case r.ContentLength == 0:
		w.WriteHeader(overloaded.status)
		_, _ = w.Write(away.body) // it fails if the client has gone, who will not miss it
	case r.ContentLength < 0 || r.ContentLength > skipped:
		h["Connection"] = away.close
		w.WriteHeader(overloaded.status)
		_, _ = w.Write(away.body)
	default:
		connection := http.NewResponseController(w)
		_ = connection.EnableFullDuplex() // what cannot do this, or flush, answers later
		w.WriteHeader(overloaded.status)
		_, _ = w.Write(away.body)
		_ = connection.Flush()
		_, _ = io.Copy(io.Discard, r.Body)
	}
	return overloaded.status, overloaded.code
}

// turnedAway returns the refusal for an operation that was not let in after it was read.
func turnedAway(err error) *refusal {
	if errors.Is(err, admission.ErrFull) || errors.Is(err, admission.ErrLate) {
		return overloaded
	}
	return givenUp
}
