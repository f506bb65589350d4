package graphqlhttp

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strconv"

	"github.com/99designs/gqlgen/graphql"

	"forge/internal/apperr"
	"forge/internal/bufpool"
	"forge/internal/telemetry"
)

// answer writes what came of a request, in the media type that was agreed upon.
type answer struct {
	w      http.ResponseWriter
	media  string
	record *telemetry.Record
	ctx    context.Context // of the request; nil if the answer is small
	unsent *Unsent
}

// newAnswer sets the headers that every answer has; should exec panic, its server's answer has them, too.
func newAnswer(w http.ResponseWriter, media string) answer {
	header := w.Header()
	header["Content-Type"] = contentType(media)
	header["Cache-Control"] = noStore
	header["X-Content-Type-Options"] = nosniff
	return answer{w: w, media: media}
}

// Values of headers that answers share, so they must not be changed in place.
var (
	plainType    = []string{plainJSON + "; charset=utf-8"}
	responseType = []string{responseJSON + "; charset=utf-8"}
	noStore      = []string{"no-store"}
	nosniff      = []string{"nosniff"}
)

func contentType(media string) []string {
	if media == responseJSON {
		return responseType
	}
	return plainType
}

func (a answer) refuse(r *refusal) {
	switch {
	case r.status == http.StatusRequestEntityTooLarge:
		a.record.Refuse(telemetry.Body)
	case r.code == apperr.CodeTooComplex:
		a.record.Refuse(telemetry.Cost)
	case r == batched:
		a.record.Refuse(telemetry.Batch)
	case r == overloaded:
		a.record.Refuse(telemetry.Overload)
	case r == otherHost:
		a.record.Refuse(telemetry.Host)
	}
	a.send(outcome{status: r.status, header: r.header}, &graphql.Response{Errors: r.errors()})
}

func (a answer) write(response *graphql.Response) {
	a.send(outcomeOf(response, a.media), response)
}

func (a answer) send(o outcome, response *graphql.Response) {
	a.record.Answer(firstCode(response.Errors))
	body := buffers.Get().(*bytes.Buffer)
	defer release(body)
	start, data, end := appendResponse(body, response)
	size := len(start) + len(data) + len(end)
	defer a.unsent.hold(a.ctx, size)()
	header := a.w.Header()
	if o.header[0] != "" {
		header.Set(o.header[0], o.header[1])
	}
	header["Content-Length"] = []string{strconv.Itoa(size)}
	a.w.WriteHeader(o.status)
	for _, part := range [][]byte{start, data, end} {
		if len(part) == 0 {
			continue
		}
		if _, err := a.w.Write(part); err != nil { // the client has gone, or does not read
			if errors.Is(err, os.ErrDeadlineExceeded) {
				a.record.Refuse(telemetry.SlowReader)
			}
			return
		}
	}
}

// largeData is the size from which data is written as it is: to copy it would take its memory twice while the client reads.
const largeData = 64 << 10

// appendResponse returns the body of an answer in up to three pieces; b has all of it but large data. The memory of other
// data is handed on.
//
// Errors come first, where a reader finds them. Data is JSON already and goes out as it is; a response that has none and
// reports an error was refused before it was executed, and has no such entry.
func appendResponse(b *bytes.Buffer, response *graphql.Response) (start, data, end []byte) {
	cut := -1
	if len(response.Data) < largeData {
		b.Grow(len(response.Data) + 32)
	}
	separator := "{"
	entry := func(name string, value []byte) {
		b.WriteString(separator)
		b.WriteString(name)
		b.Write(value)
		separator = ","
	}
	if len(response.Errors) > 0 {
		entry(`"errors":`, mustMarshal(response.Errors))
	}
	switch {
	case len(response.Data) >= largeData:
		entry(`"data":`, nil)
		cut = b.Len()
	case response.Data != nil:
		entry(`"data":`, response.Data)
		bufpool.Done(response.Data)
	case len(response.Errors) == 0:
		entry(`"data":`, []byte("null"))
	}
	if len(response.Extensions) > 0 {
		entry(`"extensions":`, mustMarshal(response.Extensions))
	}
	b.WriteByte('}')
	if cut < 0 {
		return b.Bytes(), nil, nil
	}
	return b.Bytes()[:cut], response.Data, b.Bytes()[cut:]
}

// mustMarshal panics before anything was sent: the server then logs it and answers with an internal error.
func mustMarshal(value any) []byte {
	b, err := json.Marshal(value)
	if err != nil {
		panic(fmt.Errorf("marshal a response: %w", err))
	}
	return b
}
