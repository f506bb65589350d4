package graphqlhttp

import (
	"errors"
	"io"
	"net/http"

	"forge/internal/admission"
)

// skipped is how much of a body is read, and thrown away, after a request was turned away: the client may use its connection again then.
// One that wants to send more gets a new connection, which is cheaper.
const skipped = 16 << 10

// turnAway refuses a request of which only the headers are read. net/http would wait for the body before it sends the answer.
func (a answer) turnAway(r *http.Request) {
	if r.ContentLength < 0 || r.ContentLength > skipped {
		a.w.Header().Set("Connection", "close")
		a.refuse(overloaded)
		return
	}
	connection := http.NewResponseController(a.w)
	_ = connection.EnableFullDuplex() // what cannot do this, or flush, answers later
	a.refuse(overloaded)
	_ = connection.Flush()
	_, _ = io.Copy(io.Discard, r.Body)
}

// turnedAway returns the refusal for an operation that was not let in after it was read.
func turnedAway(err error) *refusal {
	if errors.Is(err, admission.ErrFull) || errors.Is(err, admission.ErrLate) {
		return overloaded
	}
	return givenUp
}
