package stream

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/coder/websocket"

	"forge/internal/graphqlhttp"
	"forge/internal/telemetry"
)

// operation is an operation on a WebSocket. While it has something to do, a goroutine runs it, and
// otherwise none. Only this goroutine uses what has no other comment.
type operation struct {
	socket *socket
	id     string
	ctx    context.Context
	cancel context.CancelFunc
	extra  bool // whether it has a place of Options.Max; set before it runs

	// pending counts calls of wake. The one that finds 0 starts the goroutine. The goroutine sets
	// it to 0 when it has nothing to do, but not after the end.
	pending atomic.Int64
	ended   atomic.Bool // whether nothing may be sent any more

	params  *graphql.RawParams // until it has begun
	after   string
	running Operation // nil until it has begun
	record  *telemetry.Record
	started time.Time
	answers int
	bytes   int
	outcome string
}

func newOperation(c *socket, id string, params *graphql.RawParams, after string) *operation {
	o := &operation{socket: c, id: id, params: params, after: after, started: time.Now(), outcome: "closed"}
	o.ctx, o.cancel = context.WithCancel(c.ctx)
	o.ctx, o.record = telemetry.NewContext(o.ctx, c.id)
	return o
}

// wake has the operation send the answers that there are. It does not block.
func (o *operation) wake() {
	if o.pending.Add(1) == 1 {
		go o.run()
	}
}

// end ends the operation. Nothing is sent after it, except for what is being sent now.
func (o *operation) end() {
	o.ended.Store(true)
	o.cancel()
	o.wake()
}

// run sends answers until there are none for now, or no more.
func (o *operation) run() {
	for {
		n := o.pending.Load()
		if o.deliver() {
			o.close()
			return
		}
		if o.pending.CompareAndSwap(n, 0) {
			return
		}
	}
}

// deliver sends the answers that there are. It returns true if the operation has ended.
func (o *operation) deliver() (ended bool) {
	defer func() {
		if panicked := recover(); panicked != nil {
			logPanic(o.socket.server.Log, panicked, o.socket.id)
			o.fail()
			ended = true
		}
	}()
	if o.running == nil && !o.ended.Load() {
		o.running = o.socket.server.Executor.Subscribe(o.ctx, o.params, o.after, o.wake)
		o.params = nil
	}
	for !o.ended.Load() {
		answer, err := o.running.Next(o.ctx)
		switch {
		case o.ended.Load():
		case err != nil:
			o.stop(err)
			return true
		case answer == nil:
			return false
		case answer.Refused:
			o.refuse(answer.Body)
			return true
		default:
			o.send(answer)
		}
	}
	return true
}

// send sends an answer, unless the token has ended meanwhile.
func (o *operation) send(answer *Answer) {
	if o.socket.tokenEnded() {
		return
	}
	sent := o.socket.server.unsent.add(answer, o.socket.abort)
	defer sent()
	if o.socket.write(join(`{"id":`, quote(o.id), `,"type":"next","payload":`), answer.Body, []byte("}")) {
		o.count(answer.Body)
	}
}

func (o *operation) count(body []byte) {
	o.answers++
	o.bytes += len(body)
	o.socket.answers.Add(1)
	o.socket.bytes.Add(int64(len(body)))
	o.socket.server.sockets.Sent(len(body))
}

// refuse sends the errors in an answer, which end the operation.
func (o *operation) refuse(body []byte) {
	o.outcome = "refused"
	o.socket.forget(o)
	if o.socket.write(join(`{"id":`, quote(o.id), `,"type":"error","payload":`, errorsOf(body), `}`)) {
		o.count(body)
	}
}

// fail tells the client that its operation failed here.
func (o *operation) fail() {
	o.refuse(graphqlhttp.AsResponse(internal(o.socket.id)))
	o.outcome = "failed"
}

// stop ends the operation after Next has returned an error.
func (o *operation) stop(err error) {
	if err != io.EOF {
		o.socket.server.Log.ErrorContext(o.ctx, "a stream failed", "error", err, "requestId", o.socket.id)
		o.fail()
		return
	}
	o.outcome = "complete"
	o.socket.forget(o) // the client may use the ID again as soon as it knows
	o.socket.write(join(`{"id":`, quote(o.id), `,"type":"complete"}`))
}

// close ends the operation in the executor, frees its place, and logs it.
func (o *operation) close() {
	o.ended.Store(true)
	o.cancel()
	defer func() {
		if panicked := recover(); panicked != nil {
			logPanic(o.socket.server.Log, panicked, o.socket.id)
		}
	}()
	defer o.socket.all.Done()
	code := o.socket.done(o)
	logStream(o.socket.server.Log, "websocket", o.record, o.started, o.answers, o.bytes, o.outcome, code)
	if o.running != nil {
		o.running.Close()
	}
}

// logStream writes the line of the log for an operation that was answered by a stream. code is 0 if
// the connection goes on.
func logStream(log *slog.Logger, transport string, record *telemetry.Record, started time.Time, answers, bytes int, end string, code websocket.StatusCode) {
	attrs := []slog.Attr{slog.String("transport", transport), millis(started),
		slog.Int("answers", answers), slog.Int("bytes", bytes), slog.String("end", end),
		slog.String("requestId", record.RequestID)}
	if op := record.Operation; op != nil {
		attrs = append(attrs, slog.String("operation", op.Name), slog.String("kind", op.Kind))
	}
	if code != 0 {
		attrs = append(attrs, slog.Int("closeCode", int(code)))
	}
	log.LogAttrs(context.Background(), slog.LevelInfo, "stream", attrs...)
}

// join returns one text of several parts.
func join(parts ...any) []byte {
	var b []byte
	for _, part := range parts {
		switch part := part.(type) {
		case string:
			b = append(b, part...)
		case json.RawMessage:
			b = append(b, part...)
		}
	}
	return b
}

// quote returns a text as JSON.
func quote(text string) json.RawMessage {
	b, _ := json.Marshal(text) // there is no text that fails
	return b
}
