package stream

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"forge/internal/apperr"
	"forge/internal/graphqlhttp"
	"forge/internal/telemetry"
	"forge/internal/token"
	"forge/internal/viewer"
)

// socket is a WebSocket. One goroutine reads it. Operations write from goroutines of their own.
type socket struct {
	server *Server
	ws     *websocket.Conn
	conn   net.Conn
	id     string          // the ID of the request
	ctx    context.Context // of operations; changed by the reader before the first operation
	client string          // whose places it takes; changed by the reader before the first operation
	accept []string        // the languages that the client prefers, as its request says
	opened time.Time
	pinged time.Time // when the last ping was sent; only tick uses it

	initialised  bool // whether there was a connection_init; only the reader uses these two
	acknowledged bool

	writing atomic.Int32 // how many messages are being written, or wait for it
	writeMu sync.Mutex   // held while a message is written
	answers atomic.Int64
	bytes   atomic.Int64

	mu         sync.Mutex // guards the following
	ready      bool       // whether connection_init was accepted
	token      string     // "" if the client is anonymous
	operations map[string]*operation
	live       int                  // how many operations have not ended, those that the client has given up included
	all        sync.WaitGroup       // of those
	total      int                  // how many operations there were
	code       websocket.StatusCode // why the stream ended; 0 while it is open
	reason     string
}

// acceptLanguage is the header of a request that names the languages of errors.
const acceptLanguage = "Accept-Language"

// These are how many operations may run on a WebSocket at once, and how many with those that the
// client has given up, but that have not ended yet.
const (
	maxOperations = 100
	maxLive       = 2 * maxOperations
)

// serve reads messages until the connection is closed.
func (c *socket) serve() {
	s := c.server
	s.sockets.Opened()
	defer s.remove(c)
	defer func() { s.release(c.client) }()
	defer c.log()
	defer c.all.Wait()
	if !s.add(c) {
		c.close(websocket.StatusServiceRestart, ending)
		return
	}
	defer c.recoverPanic()
	for {
		text, err := c.read()
		var wrong *closing
		switch {
		case errors.As(err, &wrong):
		case errors.Is(err, websocket.ErrMessageTooBig):
			wrong = closef(websocket.StatusMessageTooBig, "a message may have %d bytes", c.limit())
		case err != nil:
			c.stop(codeOf(err), "")
			_ = c.ws.CloseNow()
			return
		default:
			wrong = c.handle(text)
		}
		if wrong != nil {
			c.close(wrong.code, wrong.reason)
			return
		}
	}
}

// close closes the connection. It waits for up to ten seconds until the client has confirmed it.
func (c *socket) close(code websocket.StatusCode, reason string) {
	c.stop(code, reason)
	_ = c.ws.Close(code, cutReason(reason))
}

// codeOf returns the close code for an error of a read.
func codeOf(err error) websocket.StatusCode {
	if code := websocket.CloseStatus(err); code > 0 {
		return code
	}
	return noCloseStatus
}

// limit returns the largest message that the client may send now.
func (c *socket) limit() int64 {
	if c.acknowledged {
		return c.server.maxMessage()
	}
	return min(maxInit, c.server.maxMessage())
}

// read returns the next message. It waits for its beginning as long as it takes.
func (c *socket) read() ([]byte, error) {
	kind, reader, err := c.ws.Reader(context.Background())
	if err != nil {
		return nil, err
	}
	if kind != websocket.MessageText {
		return nil, closef(badMessage, "messages must be text")
	}
	_ = c.conn.SetReadDeadline(time.Now().Add(c.server.times.read))
	defer c.conn.SetReadDeadline(time.Time{})
	return io.ReadAll(reader)
}

// handle carries out a message. It returns why the connection has to be closed, or nil.
func (c *socket) handle(text []byte) *closing {
	m, wrong := parseMessage(text)
	if wrong != nil {
		return wrong
	}
	switch m.kind {
	case "connection_init":
		return c.initialise(m)
	case "ping":
		c.write([]byte(`{"type":"pong"}`))
	case "subscribe":
		return c.subscribe(m)
	case "complete":
		c.complete(m.id)
	}
	return nil
}

// initialise accepts connection_init. A token in its payload counts more than one in the request.
func (c *socket) initialise(m message) *closing {
	if c.initialised {
		return closef(tooManyInits, "there was a connection_init already")
	}
	c.initialised = true
	value, present, wrong := m.authorization()
	if wrong != nil {
		return wrong
	}
	if present && c.server.Tokens != nil {
		if wrong := c.signIn(value); wrong != nil {
			return wrong
		}
	}
	c.acknowledged = true
	c.mu.Lock()
	c.ready = true
	c.mu.Unlock()
	c.ws.SetReadLimit(c.limit())
	c.write([]byte(`{"type":"connection_ack"}`))
	return nil
}

// signIn verifies a bearer token, as the middleware of package httpserver does.
func (c *socket) signIn(authorization string) *closing {
	text, err := token.Bearer([]string{authorization})
	var who viewer.Viewer
	if err == nil {
		who, who.Issued, err = c.server.Tokens.Verify(text)
	}
	_, refused := errors.AsType[token.Refusal](err)
	switch {
	case refused:
		return closef(forbidden, "%s", err.Error())
	case err != nil:
		return closef(websocket.StatusTryAgainLater, "%s", err.Error())
	}
	c.ctx = viewer.NewContext(c.ctx, who)
	c.mu.Lock()
	c.token = text
	c.mu.Unlock()
	client := c.server.client(c.ctx)
	if !c.server.move(c.client, client) {
		c.server.sockets.Refused(telemetry.OpenStreams)
		return closef(websocket.StatusTryAgainLater, "%s", errShare)
	}
	c.client = client
	return nil
}

// subscribe begins an operation.
func (c *socket) subscribe(m message) *closing {
	if !c.acknowledged {
		return closef(unauthorized, "connection_init has to come first, and to be acknowledged")
	}
	params, refused, wrong := m.parameters()
	if wrong != nil {
		return wrong
	}
	var after string
	if refused == nil {
		after, refused = afterOf(params)
	}
	if refused == nil {
		params.Headers = http.Header{acceptLanguage: c.accept}
		o := newOperation(c, m.id, params, after)
		if refused, wrong = c.admit(o); refused == nil && wrong == nil {
			o.wake()
			return nil
		}
		o.cancel()
	}
	if wrong == nil {
		c.write(errorMessage(m.id, refused))
	}
	return wrong
}

// admit makes an operation known, or returns why it may not run.
func (c *socket) admit(o *operation) (refused *gqlerror.Error, wrong *closing) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.operations[o.id] != nil:
		return nil, closef(idInUse, "Subscriber for %s already exists", o.id)
	case c.code != 0:
		return nil, &closing{c.code, c.reason}
	case len(c.operations) >= maxOperations, c.live >= maxLive:
		return refusal(apperr.CodeUnavailable, "a connection may run 100 operations at once; end one of them, or use another connection"), nil
	}
	if o.extra = len(c.operations) > 0; o.extra {
		if full := c.server.acquire(c.client); full != "" {
			c.server.sockets.Refused(telemetry.OpenStreams)
			return refusal(apperr.CodeUnavailable, full), nil
		}
	}
	if c.operations == nil {
		c.operations = map[string]*operation{}
	}
	c.operations[o.id] = o
	c.live++
	c.all.Add(1)
	c.total++
	return nil, nil
}

// complete ends an operation because the client asks for it.
func (c *socket) complete(id string) {
	c.mu.Lock()
	o := c.operations[id]
	delete(c.operations, id)
	c.mu.Unlock()
	if o != nil {
		o.end()
	}
}

// done records that an operation has ended. It returns the close code of the connection, or 0.
func (c *socket) done(o *operation) websocket.StatusCode {
	c.forget(o)
	if o.extra {
		c.server.release(c.client)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.live--
	return c.code
}

// forget frees the ID of an operation.
func (c *socket) forget(o *operation) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.operations[o.id] == o {
		delete(c.operations, o.id)
	}
}

// stop ends all operations, and records why the stream ends. It returns false if it has ended
// already.
func (c *socket) stop(code websocket.StatusCode, reason string) bool {
	c.mu.Lock()
	if c.code != 0 {
		c.mu.Unlock()
		return false
	}
	c.code, c.reason = code, reason
	all := c.operations
	c.operations = nil
	c.mu.Unlock()
	for _, o := range all {
		o.end()
	}
	return true
}

// end implements delivery.
func (c *socket) end(code websocket.StatusCode, reason string) {
	if c.stop(code, reason) {
		go c.ws.Close(code, cutReason(reason))
	}
}

// tick implements delivery.
func (c *socket) tick(now time.Time) {
	c.mu.Lock()
	ready, ended := c.ready, c.code != 0
	c.mu.Unlock()
	if ended {
		return
	}
	if !ready && now.Sub(c.opened) >= c.server.times.init {
		c.end(initTimeout, "there was no connection_init in time")
		return
	}
	if c.tokenEnded() {
		return
	}
	// While a message is being written, its deadline finds out whether the client is there.
	if now.Sub(c.pinged) >= c.server.times.keepAlive && c.writing.Load() == 0 {
		c.pinged = now
		go c.ping()
	}
}

// tokenEnded ends the connection if its token has ended. It returns whether it has.
func (c *socket) tokenEnded() bool {
	c.mu.Lock()
	text := c.token
	c.mu.Unlock()
	why := c.server.tokenEnded(text)
	if why != "" {
		c.end(forbidden, why)
	}
	return why != ""
}

// ping ends the connection if the client does not answer.
func (c *socket) ping() {
	ctx, cancel := context.WithTimeout(context.Background(), c.server.times.pong)
	defer cancel()
	if err := c.ws.Ping(ctx); err != nil {
		c.stop(noCloseStatus, "the client does not answer")
		_ = c.ws.CloseNow()
	}
}

// joined holds memory for messages that are written in one piece, as *bytes.Buffer.
var joined = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// maxJoined is the largest message that is copied to be written in one piece. A larger one is
// written in several frames, so that its parts stay where they are.
const maxJoined = 4 << 10

// write writes a message, given in parts. If the client does not read it in time, the connection is
// ended. It returns false if the message was not written.
func (c *socket) write(parts ...[]byte) bool {
	c.writing.Add(1)
	defer c.writing.Add(-1)
	c.writeMu.Lock()
	defer c.writeMu.Unlock()
	_ = c.conn.SetWriteDeadline(time.Now().Add(c.server.times.write))
	// The library writes pings and pongs by itself, without a deadline. Removing the deadline also
	// sends what package httpserver has held back.
	defer c.conn.SetWriteDeadline(time.Time{})
	err := c.writeParts(parts)
	if err == nil {
		return true
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		c.abort()
	}
	_ = c.ws.CloseNow()
	return false
}

// abort ends the connection at once, because its client reads too slowly.
func (c *socket) abort() {
	if c.stop(websocket.StatusTryAgainLater, "the client does not read") {
		c.server.sockets.Refused(telemetry.SlowReader)
	}
	_ = c.conn.Close() // CloseNow would wait
}

func (c *socket) writeParts(parts [][]byte) error {
	ctx := context.Background()
	size := 0
	for _, part := range parts {
		size += len(part)
	}
	if len(parts) == 1 {
		return c.ws.Write(ctx, websocket.MessageText, parts[0])
	}
	if size <= maxJoined {
		buffer := joined.Get().(*bytes.Buffer)
		defer joined.Put(buffer)
		buffer.Reset()
		for _, part := range parts {
			buffer.Write(part)
		}
		return c.ws.Write(ctx, websocket.MessageText, buffer.Bytes())
	}
	w, err := c.ws.Writer(ctx, websocket.MessageText)
	for i := 0; err == nil && i < len(parts); i++ {
		_, err = w.Write(parts[i])
	}
	if err != nil {
		return err
	}
	return w.Close()
}

// recoverPanic must be deferred. It logs a panic, without its value, and closes the connection.
func (c *socket) recoverPanic() {
	if panicked := recover(); panicked != nil {
		logPanic(c.server.Log, panicked, c.id)
		c.end(websocket.StatusInternalError, "internal error")
	}
}

func logPanic(log *slog.Logger, panicked any, id string) {
	log.Error("panic", "panic", telemetry.Panic(panicked), "stack", string(debug.Stack()), "requestId", id)
}

// log writes the line of the log for the connection, and counts its end.
func (c *socket) log() {
	c.mu.Lock()
	code, reason, total := c.code, c.reason, c.total
	c.mu.Unlock()
	c.server.sockets.Closed(int(code))
	c.server.Log.LogAttrs(context.Background(), slog.LevelInfo, "websocket", millis(c.opened),
		slog.Int("operations", total), slog.Int64("answers", c.answers.Load()), slog.Int64("bytes", c.bytes.Load()),
		slog.Int("closeCode", int(code)), slog.String("reason", reason), slog.String("requestId", c.id))
}

// errorMessage returns the message that refuses an operation.
func errorMessage(id string, err *gqlerror.Error) []byte {
	return join(`{"id":`, quote(id), `,"type":"error","payload":`, errorsOf(graphqlhttp.AsResponse(err)), `}`)
}
