// Package graphqlhttp carries GraphQL over HTTP, with JSON bodies, as
// https://graphql.github.io/graphql-over-http/draft/ specifies it.
//
// In some places the draft is newer than its public audit suite. There the package follows the
// suite, because clients are built against it.
package graphqlhttp

import (
	"context"
	"errors"
	"mime"
	"net/http"
	"strconv"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"forge/internal/admission"
	"forge/internal/clientip"
	"forge/internal/message"
	"forge/internal/replica"
	"forge/internal/telemetry"
)

// Transport answers all requests to a path, even those that are not GraphQL. It is used as a
// handler (see Handler), or as a transport of a gqlgen server.
type Transport struct {
	MaxBodyBytes int64 // a larger body is refused; 0: no limit
	// Admission limits how many operations run at once. An operation counts from the end of its
	// request to the start of its answer, so that neither a slow sender nor a slow reader holds a
	// place. If the queue is full, the load shedding in package httpserver should refuse requests
	// earlier.
	Admission *admission.Limiter
	Unsent    *Unsent            // limits the answers that wait for slow readers; nil: no limit
	Files     Files              // takes the files of multipart requests; nil: there are none
	Messages  *message.Catalogue // translates refusals; nil: they are in English
}

var _ graphql.Transport = Transport{}

// Supports returns true. What cannot be served is refused with a reason.
func (Transport) Supports(*http.Request) bool { return true }

// Executor runs operations, as executor.Executor of gqlgen does.
type Executor interface {
	graphql.GraphExecutor
	// PresentRecoveredError returns the error that a client gets for a panic.
	PresentRecoveredError(ctx context.Context, panicked any) error
}

// Handler returns a handler that runs all operations with exec. After a panic, it sends status 500
// and an answer with one error and nothing else.
func (t Transport) Handler(exec Executor) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer answerPanic(w, r, exec)
		t.Do(w, r, exec)
	})
}

// Do reads one operation from r, runs it with exec, and writes the answer.
func (t Transport) Do(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor) {
	media, acceptable := negotiate(r.Header.Values("Accept"))
	a := newAnswer(w, media)
	a.record, a.ctx, a.unsent = telemetry.FromContext(r.Context()), r.Context(), t.Unsent
	a.accepts, a.messages = r.Header.Get(message.Header), t.Messages
	params, refused := t.read(w, r, acceptable)
	if refused != nil {
		a.refuse(refused)
		return
	}
	response, refused := t.run(r, &a, params, exec)
	if refused != nil {
		a.refuse(refused)
		return
	}
	a.send(outcomeOf(response, media), response)
}

// run runs the operation when it is admitted, and returns the complete response. It returns a
// refusal if the operation is not admitted, may not be sent by GET, or was cancelled.
func (t Transport) run(r *http.Request, a *answer, params *graphql.RawParams, exec graphql.GraphExecutor) (*graphql.Response, *refusal) {
	ctx := graphql.StartOperationTrace(r.Context()) // gqlgen requires it
	if err := t.Admission.Acquire(ctx); err != nil {
		if errors.Is(err, admission.ErrFull) || errors.Is(err, admission.ErrTimeout) {
			return nil, overloaded
		}
		return nil, cancelled
	}
	defer t.Admission.Release()
	op, errs := exec.CreateOperationContext(ctx, params)
	if len(errs) > 0 {
		response := exec.DispatchError(graphql.WithOperationContext(ctx, op), limitErrors(errs))
		response.Data = nil // nothing was executed
		return response, nil
	}
	if op.Operation.Operation == ast.Subscription {
		return nil, onlyStreamed
	}
	if r.Method == http.MethodGet && op.Operation.Operation != ast.Query {
		return nil, notByGet(op.Operation.Operation)
	}
	if op.Operation.Operation == ast.Mutation {
		ctx = clientip.NewContext(ctx, r)
	}
	responses, ctx := exec.DispatchOperation(a.record.StartOperation(ctx), op)
	response := responses(ctx)
	if response == nil {
		return nil, cancelled
	}
	if keeper, ok := exec.(Keeper); ok && len(response.Errors) == 0 && response.Extensions[replica.Extension] == nil && mayKeep(r, params) {
		a.keep(keeper.MaxAge(op), response.Data, r.Header.Values("If-None-Match"))
	}
	return response, nil
}

// newAnswer returns an answer, and sets the headers that every answer has. They are set before
// anything else, so that the answer to a panic has them, too.
func newAnswer(w http.ResponseWriter, media string) answer {
	header := w.Header()
	header["Content-Type"] = plainType
	if media == responseJSON {
		header["Content-Type"] = responseType
	}
	header["Cache-Control"] = noStore
	header["X-Content-Type-Options"] = nosniff
	return answer{w: w, media: media}
}

// Answers share these header values, so they must not be changed in place.
var (
	plainType    = []string{plainJSON + "; charset=utf-8"}
	responseType = []string{responseJSON + "; charset=utf-8"}
	noStore      = []string{"no-store"}
	nosniff      = []string{"nosniff"}
)

// These are the media types of answers.
const (
	plainJSON    = "application/json"
	responseJSON = "application/graphql-response+json"
)

// negotiate returns the media type of the answer to a request with these values of the Accept
// header, and whether they allow it. If they allow no type that the server has, the refusal is
// plain JSON.
//
// A client that names neither type gets plain JSON, as old clients expect. If the client wants both
// types equally and names the type for GraphQL, it gets that one.
func negotiate(accept []string) (media string, acceptable bool) {
	ranges := strings.Join(accept, ",")
	switch ranges {
	case "", "*/*", plainJSON:
		return plainJSON, true
	case responseJSON:
		return responseJSON, true
	}
	var plain, response welcome
	for part := range strings.SplitSeq(ranges, ",") {
		name, quality := parseRange(part)
		plain.consider(name, plainJSON, quality)
		response.consider(name, responseJSON, quality)
	}
	switch {
	case response.quality > plain.quality, response.quality == plain.quality && response.specific == exact && response.quality > 0:
		return responseJSON, true
	default:
		return plainJSON, plain.quality > 0
	}
}

// welcome says how much the client wants a media type. Of the media ranges that include the type,
// the most specific one counts.
type welcome struct {
	quality  float64
	specific int
}

// These are the kinds of media ranges, the least specific first.
const (
	anything = iota + 1
	application
	exact
)

// consider takes a media range of the Accept header into account, if the range includes media.
func (w *welcome) consider(name, media string, quality float64) {
	var specific int
	switch name {
	case media:
		specific = exact
	case "application/*":
		specific = application
	case "*/*":
		specific = anything
	default:
		return
	}
	if specific > w.specific || specific == w.specific && quality > w.quality {
		*w = welcome{quality, specific}
	}
}

// parseRange returns the name and the quality of a media range. The name is "" if the range is not
// well formed, or names another charset than UTF-8.
func parseRange(part string) (name string, quality float64) {
	name, params, err := mime.ParseMediaType(part)
	if err != nil || !isUTF8(params) {
		return "", 0
	}
	q, present := params["q"]
	if !present {
		return name, 1
	}
	quality, err = strconv.ParseFloat(q, 64)
	if err != nil || !(0 <= quality && quality <= 1) {
		return "", 0
	}
	return name, quality
}
