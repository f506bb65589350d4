package graphqlhttp

import (
	"bytes"
	"errors"
	"net/http"
	"os"
	"sync"
)

// buffers are used for bodies in both directions.
var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// keep is how large a buffer may be and still wait for the next request; one large page must not hold its memory for ever.
const keep = 1 << 20

// ahead is how much memory a body is given before it has arrived: a header that announces much costs its sender nothing.
const ahead = 16 << 10

func release(b *bytes.Buffer) {
	if b.Cap() <= keep {
		b.Reset()
		buffers.Put(b)
	}
}

// readBody returns the body of r in a buffer that is the caller's to release, also when the body is refused.
func (t Transport) readBody(w http.ResponseWriter, r *http.Request) (*bytes.Buffer, *refusal) {
	buffer := buffers.Get().(*bytes.Buffer)
	switch {
	case t.MaxBodyBytes == 0:
	case r.ContentLength > t.MaxBodyBytes:
		return buffer, tooLarge(t.MaxBodyBytes)
	case r.ContentLength < 0: // else the body ends with what was announced
		r.Body = http.MaxBytesReader(w, r.Body, t.MaxBodyBytes)
	}
	if r.ContentLength > 0 {
		buffer.Grow(int(min(r.ContentLength, ahead)) + bytes.MinRead) // what ReadFrom wants to have free at the end
	}
	if _, err := buffer.ReadFrom(r.Body); err != nil {
		return buffer, unreadable(err)
	}
	return buffer, nil
}

func unreadable(err error) *refusal {
	if larger, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return tooLarge(larger.Limit)
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return tooSlow
	}
	return malformed("the body of the request could not be read to its end")
}
