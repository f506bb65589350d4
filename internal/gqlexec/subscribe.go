package gqlexec

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"forge/internal/apperr"
	"forge/internal/changes"
	"forge/internal/read"
	"forge/internal/read/binding"
	"forge/internal/read/plan"
	"forge/internal/retry"
	"forge/internal/stream"
	"forge/internal/telemetry"
	"forge/internal/viewer"
)

// Handler answers requests over HTTP. It is also the stream.Executor of the API.
type Handler struct {
	http.Handler
	executor *executor
	groups   groups
}

// Streams returns what runs the operations of streams. It returns nil if the API has no
// subscriptions.
func (h *Handler) Streams() stream.Executor {
	if h.executor.options.Feed == nil || h.executor.schema.Schema().Subscription == nil {
		return nil
	}
	return h
}

// Subscribe implements stream.Executor.
func (h *Handler) Subscribe(ctx context.Context, params *graphql.RawParams, after string, wake func()) stream.Operation {
	ctx = graphql.StartOperationTrace(ctx)
	if err := h.executor.options.Admission.Acquire(ctx); err != nil {
		return h.refused(ctx, h.executor.refusal(ctx, overload))
	}
	defer h.executor.options.Admission.Release()
	op, errs := h.executor.CreateOperationContext(ctx, params)
	ctx = graphql.WithOperationContext(ctx, op)
	switch {
	case len(errs) > 0:
		return h.refused(ctx, h.executor.DispatchError(ctx, errs))
	case op.Operation.Operation != ast.Subscription:
		return &once{executor: h.executor, ctx: ctx}
	}
	s, err := h.subscribe(ctx, op, after, wake)
	if err != nil {
		return h.refused(ctx, h.executor.refusal(ctx, err))
	}
	return s
}

// overload is the error of an operation that was not admitted.
var overload = &apperr.Error{Code: apperr.CodeUnavailable, Message: "the server has more to do than it can; try again"}

// refusal returns the response of an operation that did not begin.
func (e *executor) refusal(ctx context.Context, err error) *graphql.Response {
	return &graphql.Response{Errors: gqlerror.List{e.present.error(ctx, err)}}
}

// once is an operation with one answer: a query, a mutation, or one that was refused.
type once struct {
	executor *executor
	ctx      context.Context
	answer   *stream.Answer // nil: the operation has not run
	done     bool
}

func (h *Handler) refused(ctx context.Context, r *graphql.Response) *once {
	r.Data = nil
	h.executor.observer.end(telemetry.FromContext(ctx), time.Now(), r)
	return &once{answer: &stream.Answer{Body: encoded(r), Refused: true}}
}

// Kind implements stream.Operation.
func (o *once) Kind() ast.Operation {
	if o.ctx == nil {
		return ""
	}
	return graphql.GetOperationContext(o.ctx).Operation.Operation
}

// Next implements stream.Operation.
func (o *once) Next(context.Context) (*stream.Answer, error) {
	if o.done {
		return nil, io.EOF
	}
	o.done = true
	if o.answer != nil {
		return o.answer, nil
	}
	began := time.Now()
	response := o.executor.admitted(o.ctx)
	o.executor.observer.end(telemetry.FromContext(o.ctx), began, response)
	if response == nil {
		return nil, io.EOF // the stream has ended
	}
	return &stream.Answer{Body: encoded(response)}, nil
}

// Close implements stream.Operation.
func (o *once) Close() {}

// admitted runs the operation of ctx when the limits of running operations allow it. It returns nil
// if ctx ends first.
func (e *executor) admitted(ctx context.Context) *graphql.Response {
	if err := e.options.Admission.Acquire(ctx); err != nil {
		return e.instead(ctx, overload)
	}
	defer e.options.Admission.Release()
	if response := e.run(ctx); response != nil {
		return response
	}
	return e.instead(ctx, tooLate)
}

// tooLate is the error of an operation whose time had passed before it was run.
var tooLate = &apperr.Error{Code: apperr.CodeTimeout, Message: "the operation was given up before it was run"}

// instead returns a response with one error. It returns nil if ctx has ended.
func (e *executor) instead(ctx context.Context, err error) *graphql.Response {
	if ctx.Err() != nil {
		return nil
	}
	response := e.refusal(ctx, err)
	response.Data = []byte("null")
	return response
}

// encoded returns a response as JSON.
func encoded(r *graphql.Response) []byte {
	b := []byte("{")
	if r.Data != nil {
		b = append(append(b, `"data":`...), r.Data...)
	}
	for _, part := range []struct {
		name  string
		value any
		has   bool
	}{{"errors", r.Errors, len(r.Errors) > 0}, {"extensions", r.Extensions, len(r.Extensions) > 0}} {
		if !part.has {
			continue
		}
		value, err := json.Marshal(part.value)
		if err != nil { // what presents errors makes values that have a JSON form
			panic(err)
		}
		if len(b) > 1 {
			b = append(b, ',')
		}
		b = append(append(append(b, '"'), part.name...), `":`...)
		b = append(b, value...)
	}
	return append(b, '}')
}

// cursorPause is how old a client's cursor may become before it gets a newer one, if there were
// changes that it does not hear of.
const cursorPause = time.Minute

// subscription is one operation of type subscription. Its members are used by one goroutine at a
// time; see stream.Operation.
type subscription struct {
	group *group
	wake  func()
	stop  func()

	begun bool
	ended bool
	at    changes.Position // all changes before it were told
	told  changes.Position // what the client was given as its cursor
	when  time.Time        // and when
	seen  uint64           // the number of the last answer, of live
	tries int              // failures since the last answer
}

// subscribe begins a subscription. After it has returned, no change is missed.
func (h *Handler) subscribe(ctx context.Context, op *graphql.OperationContext, after string, wake func()) (*subscription, error) {
	g, err := h.groups.join(ctx, h.executor, op)
	if err != nil {
		return nil, err
	}
	s := &subscription{group: g, wake: wake}
	if g.live == nil {
		if s.at, err = g.begin(ctx, after); err != nil {
			h.groups.leave(g)
			return nil, err
		}
	}
	s.stop = g.add(s)
	return s, nil
}

// Kind implements stream.Operation.
func (s *subscription) Kind() ast.Operation { return ast.Subscription }

// Close implements stream.Operation.
func (s *subscription) Close() {
	s.stop()
	s.group.groups.leave(s.group)
}

// Start returns the cursor at which a subscription that tells of changes would begin: the one given,
// or the end of the log. It begins nothing. It returns an error if the operation is not such a
// subscription, if the viewer may not run it, or if the cursor is not one.
func (h *Handler) Start(ctx context.Context, params *graphql.RawParams, after string) (cursor string, err error) {
	ctx = graphql.StartOperationTrace(ctx)
	op, errs := h.executor.CreateOperationContext(ctx, params)
	switch {
	case len(errs) > 0:
		return "", apperr.BadInput("", "%s", errs[0].Message)
	case op.Operation.Operation != ast.Subscription:
		return "", apperr.BadInput("", "a %s is no subscription; allowed is a subscription that tells of changes", op.Operation.Operation)
	}
	g, err := h.groups.join(ctx, h.executor, op)
	if err != nil {
		return "", err
	}
	defer h.groups.leave(g)
	if g.live != nil {
		return "", apperr.BadInput("", "%s has no cursor, so an answer that was missed could not be sent again; allowed is a subscription that tells of changes", binding.Live)
	}
	if err := h.executor.api.mayCall(ctx, "Subscription", g.root.Name); err != nil {
		return "", apperr.BadInput("", "%s may not call %s", viewer.RoleOf(ctx), g.root.Name)
	}
	at, err := g.begin(ctx, after)
	if err != nil {
		return "", err
	}
	return g.engine.Cursor(at), nil
}

// Next implements stream.Operation.
func (s *subscription) Next(ctx context.Context) (*stream.Answer, error) {
	if s.ended {
		return nil, io.EOF
	}
	next := s.nextChanges
	if s.group.live != nil {
		next = s.nextLive
	}
	answer, err := next(ctx)
	if err != nil { // the database cannot be reached, for example: nothing is lost
		s.tries++
		if known, ok := errors.AsType[*passingError](err); ok && known.code == apperr.CodeTimeout && s.tries >= maxTimeouts {
			s.ended = true
			response := &graphql.Response{Data: []byte("null"), Errors: known.errors}
			if s.group.live != nil {
				within(response, s.group.root.Alias)
			}
			return &stream.Answer{Body: encoded(response)}, nil
		}
		time.AfterFunc(again.Pause(s.tries), s.wake) // after the end of ctx, this does nothing
		return nil, nil
	}
	if answer != nil {
		s.tries = 0
	}
	return answer, nil
}

// maxTimeouts is how often in a row an answer may take too long before the client is told.
const maxTimeouts = 5

// again sets the pauses before an answer that failed is made again.
var again = retry.Backoff{First: 50 * time.Millisecond, Max: 5 * time.Second, Jitter: 0.5}

// nextChanges returns the next changes that the viewer hears of. The first answer comes at once,
// with or without changes.
func (s *subscription) nextChanges(ctx context.Context) (*stream.Answer, error) {
	for ctx.Err() == nil {
		f := read.Following{After: s.at}
		f.List, f.Next, f.Given = s.group.feed().Read(s.at, plan.ChangesAMessage, s.group.selects)
		if f.Given && len(f.List) == 0 && s.begun && (f.Next == s.told || time.Since(s.when) < cursorPause) {
			s.at = f.Next
			return nil, nil
		}
		e, err := s.group.evaluate(ctx, f)
		if err != nil {
			return nil, err
		}
		still := s.at == e.next
		s.at, s.ended = e.next, e.last
		if e.heard || e.last || !s.begun || s.at != s.told && time.Since(s.when) >= cursorPause {
			s.begun, s.told, s.when = true, s.at, time.Now()
			return e.answer, nil
		}
		if still {
			return nil, nil
		}
	}
	return nil, nil
}

// nextLive returns the newest answer, if it is another one than the last.
func (s *subscription) nextLive(ctx context.Context) (*stream.Answer, error) {
	e, number, err := s.group.newest(ctx)
	if err != nil || e == nil || number == s.seen {
		return nil, err
	}
	s.seen, s.ended = number, e.last
	return e.answer, nil
}
