package graphqlhttp

import (
	"bytes"
	"container/list"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"sync"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"forge/internal/apperr"
	"forge/internal/bufpool"
	"forge/internal/message"
	"forge/internal/replica"
	"forge/internal/telemetry"
)

// answer writes the answer to one request, in the media type that was negotiated with the client.
type answer struct {
	w      http.ResponseWriter
	media  string
	record *telemetry.Record
	ctx    context.Context // the request's context; only used with unsent
	unsent *Unsent         // if it is nil, the answer is not counted
	known  bool            // the client has this answer

	messages *message.Catalogue // if it is nil, errors are in English
	accepts  string             // the languages that the client prefers
}

// refuse sends a refusal. If the request was refused because it exceeded a limit, refuse records
// the limit.
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
	errs := r.errors()
	errs[0].Message = message.New(r.message).In(a.messages.Match(a.accepts))
	a.send(outcome{status: r.status, header: r.header}, &graphql.Response{Errors: errs})
}

// answerPanic must be deferred. After a panic, it sends an answer with one error and nothing else.
func answerPanic(w http.ResponseWriter, r *http.Request, exec Executor) {
	if panicked := recover(); panicked != nil {
		media, _ := negotiate(r.Header.Values("Accept"))
		err := gqlerror.WrapIfUnwrapped(exec.PresentRecoveredError(r.Context(), panicked))
		newAnswer(w, media).send(outcome{status: http.StatusInternalServerError}, &graphql.Response{Errors: gqlerror.List{err}})
	}
}

// send sends the response.
func (a answer) send(o outcome, response *graphql.Response) {
	body := buffers.Get().(*bytes.Buffer)
	defer release(body)
	start, data, end := appendResponse(body, response)
	size := len(start) + len(data) + len(end)
	defer a.unsent.add(a.ctx, size)()
	if len(data) == 0 {
		bufpool.Done(response.Data) // the body has a copy
	}
	code := ""
	header := a.w.Header()
	if len(response.Errors) > 0 {
		code = string(codeOf(response.Errors[0]))
		header.Set("Content-Language", a.messages.Match(a.accepts).Tag())
		header.Add("Vary", message.Header)
	}
	a.record.Answer(code)
	if o.header[0] != "" {
		header.Set(o.header[0], o.header[1])
	}
	if position, ok := response.Extensions[replica.Extension].(string); ok {
		header.Set(replica.Header, position)
	}
	if a.known {
		a.w.WriteHeader(http.StatusNotModified)
		return
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

// largeData is the size from which data is written without a copy. A copy would occupy the same
// memory again, for as long as the client reads.
const largeData = 64 << 10

// appendResponse returns the body of an answer in up to three pieces. If data is large, it is
// returned as it is. All else is in b.
//
// Errors come first, where a reader finds them. Data is sent unchanged, because it is JSON already.
// A response that has errors and no data was refused before it was executed, and the body then has
// no entry for data.
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

// mustMarshal returns a value as JSON. It panics if the value cannot be marshalled. Nothing has
// been sent at that time, so the client gets an internal error.
func mustMarshal(value any) []byte {
	b, err := json.Marshal(value)
	if err != nil {
		panic(fmt.Errorf("marshal a response: %w", err))
	}
	return b
}

// outcome is how an answer looks in HTTP: its status, and a header that goes with the status.
type outcome struct {
	status int
	header [2]string
	// always means that clients that accept only application/json also get this status for a
	// request error. For other request errors they get 200, as the specification demands.
	always bool
	// begun means that the status also applies if the operation was begun and its data is null.
	// Without begun, such an operation has status 200. So a mutation that fails because the client
	// has not signed in is answered like any other failed mutation. Status 401 is only for an
	// invalid token.
	begun bool
}

// outcomes holds the outcomes of error codes. Request errors with other codes have status 400.
var outcomes = map[apperr.Code]outcome{
	apperr.CodeUnavailable:         {status: http.StatusServiceUnavailable, header: [2]string{"Retry-After", "1"}, always: true, begun: true},
	apperr.CodeUnauthenticated:     {status: http.StatusUnauthorized, header: [2]string{"WWW-Authenticate", "Bearer"}, always: true},
	apperr.CodeRateLimited:         {status: http.StatusTooManyRequests, header: [2]string{"Retry-After", "1"}, always: true, begun: true},
	apperr.CodeForbidden:           {status: http.StatusForbidden},
	apperr.CodeOperationNotAllowed: {status: http.StatusForbidden},
	apperr.CodeTimeout:             {status: http.StatusServiceUnavailable, always: true, begun: true},
	apperr.CodeInternal:            {status: http.StatusInternalServerError},
}

// outcomeOf returns the outcome of a response, whose answer has the given media type.
func outcomeOf(response *graphql.Response, media string) outcome {
	if response.Data != nil && string(response.Data) != "null" || len(response.Errors) == 0 {
		return outcome{status: http.StatusOK}
	}
	begun := response.Data != nil
	strict := !begun && media == responseJSON
	for _, err := range response.Errors {
		if o, ok := outcomes[codeOf(err)]; ok && (strict || o.always && (o.begun || !begun)) {
			return o.withRetryAfter(err)
		}
	}
	if strict {
		return outcome{status: http.StatusBadRequest}
	}
	return outcome{status: http.StatusOK}
}

// withRetryAfter returns the outcome with a Retry-After of the seconds that the error names, if it
// names any. If nobody knows whether a mutation was stored, it removes the header, because the
// client must not simply send the mutation again.
func (o outcome) withRetryAfter(err *gqlerror.Error) outcome {
	if seconds, ok := err.Extensions["retryAfter"].(int); ok {
		o.header = [2]string{"Retry-After", strconv.Itoa(seconds)}
	} else if err.Extensions["outcome"] == "unknown" {
		o.header = [2]string{}
	}
	return o
}

// codeOf returns extensions.code of an error, or "" if there is none.
func codeOf(err *gqlerror.Error) apperr.Code {
	switch code := err.Extensions["code"].(type) {
	case string:
		return apperr.Code(code)
	case apperr.Code:
		return code
	}
	return ""
}

// Unsent limits the bytes of all answers that wait for their clients to read them. A nil *Unsent
// has no limit. It is safe for concurrent use.
type Unsent struct {
	limit int64
	abort func(context.Context) // ends the connection of the request with this context

	mu      sync.Mutex
	bytes   int64
	aborted int64     // the part of bytes whose connections were ended, until they are removed
	answers list.List // of *unsentAnswer, in the order of sending
}

// unsentAnswer is an answer that is being sent.
type unsentAnswer struct {
	ctx     context.Context // the request's context
	bytes   int64
	element *list.Element // in Unsent.answers; nil after the connection was ended
}

// NewUnsent returns an Unsent that allows limit bytes. It returns nil if limit is 0. abort is
// called with the context of a request to end its connection, and must make writes to that
// connection fail at once.
func NewUnsent(limit int, abort func(context.Context)) *Unsent {
	if limit == 0 {
		return nil
	}
	return &Unsent{limit: int64(limit), abort: abort}
}

// Bytes returns how many bytes wait now.
func (u *Unsent) Bytes() int64 {
	if u == nil {
		return 0
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.bytes
}

// add counts an answer of the given size. The caller calls the returned function when the answer is
// sent. If the limit is exceeded, add ends the connections of the answers that have been sent for
// the longest time, because their clients read the slowest.
func (u *Unsent) add(ctx context.Context, bytes int) (sent func()) {
	if u == nil {
		return func() {}
	}
	a := &unsentAnswer{ctx: ctx, bytes: int64(bytes)}
	for _, slow := range u.push(a) {
		u.abort(slow.ctx)
	}
	return func() { u.remove(a) }
}

// push counts the answer, and returns the answers whose connections must be ended.
func (u *Unsent) push(a *unsentAnswer) (slow []*unsentAnswer) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.bytes += a.bytes
	a.element = u.answers.PushBack(a)
	for u.bytes-u.aborted > u.limit && u.answers.Len() > 1 {
		first := u.answers.Remove(u.answers.Front()).(*unsentAnswer)
		first.element = nil
		u.aborted += first.bytes
		slow = append(slow, first)
	}
	return slow
}

// remove stops counting the answer.
func (u *Unsent) remove(a *unsentAnswer) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.bytes -= a.bytes
	if a.element == nil {
		u.aborted -= a.bytes
		return
	}
	u.answers.Remove(a.element)
}

// buffers holds buffers for the bodies of requests and answers.
var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// maxPooled is the largest buffer that is reused. Without a bound, one large answer would hold its
// memory for ever.
const maxPooled = 1 << 20

// release makes the buffer available to other requests. Nobody may use the buffer or its bytes
// afterwards.
func release(b *bytes.Buffer) {
	if b.Cap() <= maxPooled {
		b.Reset()
		buffers.Put(b)
	}
}
