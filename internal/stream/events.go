package stream

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/coder/websocket"
	"github.com/vektah/gqlparser/v2/ast"

	"forge/internal/clientip"
	"forge/internal/graphqlhttp"
	"forge/internal/telemetry"
	"forge/internal/token"
)

// events is a response with server-sent events, in the distinct connections mode of
// https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md. The handler's goroutine does
// all the work, and others wake it.
type events struct {
	server  *Server
	w       http.ResponseWriter
	conn    *http.ResponseController
	record  *telemetry.Record
	started time.Time
	woken   chan struct{} // has a value if the goroutine has to look for work
	token   string
	ctx     context.Context // of the operation
	cancel  context.CancelFunc

	beaten  time.Time // when the last comment was due; only tick uses it
	answers int
	bytes   int

	mu   sync.Mutex // guards the following
	beat bool       // whether a comment is due
	code websocket.StatusCode
}

// serveEvents answers a request with server-sent events.
func (s *Server) serveEvents(w http.ResponseWriter, r *http.Request) {
	params, ok := graphqlhttp.Transport{MaxBodyBytes: s.MaxBodyBytes}.Read(w, r)
	if !ok {
		return
	}
	after, wrong := afterOf(params)
	if wrong != nil {
		graphqlhttp.RefuseStream(w, r, wrong.Message)
		return
	}
	if last := r.Header.Get("Last-Event-ID"); last != "" {
		after = last // it is newer than the cursor in the body or the address, which stays the same
	}
	client := s.client(clientip.NewContext(r.Context(), r))
	if refused := s.acquire(client); refused != "" {
		graphqlhttp.RefuseTooMany(w, r, telemetry.OpenStreams, refused)
		return
	}
	defer s.release(client)
	e := s.newEvents(w, r)
	defer e.cancel()
	if !s.add(e) {
		graphqlhttp.RefuseForNow(w, r, ending)
		return
	}
	defer s.remove(e)
	e.serve(r, params, after)
}

func (s *Server) newEvents(w http.ResponseWriter, r *http.Request) *events {
	now := time.Now()
	e := &events{server: s, w: w, conn: http.NewResponseController(w), started: now, beaten: now, woken: make(chan struct{}, 1)}
	e.token, _ = token.Bearer(r.Header["Authorization"])
	e.ctx, e.cancel = context.WithCancel(clientip.NewContext(r.Context(), r))
	e.ctx, e.record = telemetry.NewContext(e.ctx, telemetry.RequestID(r.Context()))
	return e
}

// serve runs the operation, and sends its answers.
func (e *events) serve(r *http.Request, params *graphql.RawParams, after string) {
	operation := e.server.Executor.Subscribe(e.ctx, params, after, e.wake)
	defer operation.Close()
	defer e.cancel()
	if r.Method == http.MethodGet && operation.Kind() == ast.Mutation {
		graphqlhttp.RefuseByGet(e.w, r, ast.Mutation)
		return
	}
	telemetry.FromContext(r.Context()).StartStream()
	e.server.events.Opened()
	defer e.log()
	if !e.start() {
		return
	}
	for e.deliver(operation) {
		select {
		case <-e.woken:
		case <-e.ctx.Done():
			e.stop(websocket.StatusGoingAway) // the client has gone, unless the server has ended it
		}
	}
}

// start sends the headers. The deadlines of requests do not apply to a stream.
func (e *events) start() bool {
	_ = e.conn.SetReadDeadline(time.Time{})
	header := e.w.Header()
	header.Set("Content-Type", "text/event-stream; charset=utf-8")
	header.Set("Cache-Control", "no-store")
	header.Set("X-Accel-Buffering", "no")
	e.w.WriteHeader(http.StatusOK)
	return e.write()
}

// deliver sends the answers that there are. It returns false if the stream has ended.
func (e *events) deliver(operation Operation) bool {
	for {
		code, beat := e.state()
		if code != 0 || beat && !e.write([]byte(":\n\n")) {
			return false
		}
		answer, err := operation.Next(e.ctx)
		if code, _ := e.state(); code != 0 {
			return false
		}
		switch {
		case err != nil:
			e.finish(err)
			return false
		case answer == nil:
			return true
		case e.tokenEnded() || !e.send(answer):
			return false
		case answer.Refused:
			e.finish(io.EOF)
			return false
		}
	}
}

// finish ends the stream after Next has returned an error.
func (e *events) finish(err error) {
	switch {
	case err == io.EOF:
		if e.write([]byte("event: complete\ndata:\n\n")) {
			e.stop(websocket.StatusNormalClosure)
		}
	case e.ctx.Err() != nil:
		e.stop(websocket.StatusGoingAway)
	default:
		e.server.Log.ErrorContext(e.ctx, "a stream failed", "error", err, "requestId", e.record.RequestID)
		if e.send(&Answer{Body: graphqlhttp.AsResponse(internal(e.record.RequestID))}) {
			e.write([]byte("event: complete\ndata:\n\n"))
		}
		e.stop(websocket.StatusInternalError)
	}
}

// send sends an answer.
func (e *events) send(answer *Answer) bool {
	head := []byte("event: next\n")
	if answer.Cursor != "" {
		head = append(append(append(head, "id: "...), answer.Cursor...), '\n')
	}
	parts := [][]byte{head}
	for line := range bytes.FieldsFuncSeq(answer.Body, func(c rune) bool { return c == '\n' || c == '\r' }) {
		parts = append(parts, []byte("data: "), line, []byte("\n"))
	}
	sent := e.server.unsent.add(answer, func() {
		e.stop(websocket.StatusTryAgainLater)
		e.server.Abort(e.ctx)
	})
	defer sent()
	if !e.write(append(parts, []byte("\n"))...) {
		return false
	}
	e.answers++
	e.bytes += len(answer.Body)
	e.server.events.Sent(len(answer.Body))
	return true
}

// write sends what is in the parts, and returns whether the client can still be written to. The
// deadline is removed afterwards, which also sends what package httpserver has held back.
func (e *events) write(parts ...[]byte) bool {
	_ = e.conn.SetWriteDeadline(time.Now().Add(e.server.times.write))
	var err error
	for i := 0; err == nil && i < len(parts); i++ {
		_, err = e.w.Write(parts[i])
	}
	if err == nil {
		err = e.conn.Flush()
	}
	switch {
	case err == nil:
		_ = e.conn.SetWriteDeadline(time.Time{})
		return true
	case errors.Is(err, os.ErrDeadlineExceeded):
		e.server.events.Refused(telemetry.SlowReader)
		e.stop(websocket.StatusTryAgainLater)
	default:
		e.stop(websocket.StatusGoingAway)
	}
	return false
}

// wake has the handler's goroutine look for work. It does not block.
func (e *events) wake() {
	select {
	case e.woken <- struct{}{}:
	default:
	}
}

// state returns why the stream has ended, or 0, and whether a comment is due.
func (e *events) state() (code websocket.StatusCode, beat bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	beat, e.beat = e.beat, false
	return e.code, beat
}

// stop records why the stream ends, unless it has ended already.
func (e *events) stop(code websocket.StatusCode) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.code == 0 {
		e.code = code
	}
}

// end implements delivery. The client is not told why: it sees that complete is missing.
func (e *events) end(code websocket.StatusCode, _ string) {
	e.stop(code)
	e.cancel()
}

// tokenEnded ends the stream if its token has ended. It returns whether it has.
func (e *events) tokenEnded() bool {
	ended := e.server.tokenEnded(e.token) != ""
	if ended {
		e.end(forbidden, "")
	}
	return ended
}

// tick implements delivery.
func (e *events) tick(now time.Time) {
	if e.tokenEnded() {
		return
	}
	if now.Sub(e.beaten) < e.server.times.keepAlive {
		return
	}
	e.beaten = now
	e.mu.Lock()
	e.beat = true
	e.mu.Unlock()
	e.wake()
}

// log writes the line of the log for the stream, and counts its end.
func (e *events) log() {
	code, _ := e.state()
	if code == 0 { // there was a panic
		code = websocket.StatusInternalError
	}
	e.server.events.Closed(int(code))
	logStream(e.server.Log, "sse", e.record, e.started, e.answers, e.bytes, "closed", code)
}
