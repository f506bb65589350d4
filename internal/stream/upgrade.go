package stream

import (
	"bufio"
	"bytes"
	"context"
	"net"
	"net/http"
	"time"

	"github.com/coder/websocket"

	"forge/internal/clientip"
	"forge/internal/graphqlhttp"
	"forge/internal/telemetry"
	"forge/internal/token"
	"forge/internal/viewer"
)

// maxMessage is the largest message that a client may send, even if MaxBodyBytes is larger. Before
// connection_init is accepted, it is maxInit.
const (
	maxMessage = 1 << 20
	maxInit    = 16 << 10
)

// serveSocket makes a WebSocket of the request's connection. It returns after the handshake, so
// that the memory of the request is not kept.
func (s *Server) serveSocket(w http.ResponseWriter, r *http.Request) {
	if !hasToken(r.Header["Sec-Websocket-Protocol"], subprotocol) {
		graphqlhttp.RefuseStream(w, r, "the WebSocket must ask for the subprotocol "+subprotocol)
		return
	}
	c := &socket{server: s, ctx: socketContext(r), id: telemetry.RequestID(r.Context()), accept: r.Header[acceptLanguage], opened: time.Now()}
	c.client = s.client(c.ctx)
	refused := s.acquire(c.client)
	if refused != "" && !s.refuseOne() {
		graphqlhttp.RefuseTooMany(w, r, telemetry.OpenStreams, refused)
		return
	}
	c.pinged = c.opened
	c.token, _ = token.Bearer(r.Header["Authorization"])
	accepted := &leanWriter{ResponseWriter: w}
	ws, err := websocket.Accept(accepted, r, &websocket.AcceptOptions{
		Subprotocols:       []string{subprotocol},
		InsecureSkipVerify: true, // package httpserver has checked the origin
		// A pong has to wait for a message that is being written. The library would take a wait of
		// five seconds for the end, and the message shows as well that the server is there.
		OnPingReceived: func(context.Context, []byte) bool { return c.writing.Load() == 0 },
	})
	switch {
	case refused != "" && err != nil:
		s.refusedOne()
	case refused != "":
		go s.closeRefused(ws, refused)
	case err != nil: // Accept has answered
		s.release(c.client)
	default:
		c.ws, c.conn = ws, accepted.conn
		ws.SetReadLimit(min(maxInit, s.maxMessage()))
		go c.serve()
	}
}

func (s *Server) maxMessage() int64 {
	if s.MaxBodyBytes == 0 {
		return maxMessage
	}
	return min(maxMessage, s.MaxBodyBytes)
}

// maxRefused is how many WebSockets may be accepted at once only to be told 1013. Others get status
// 503, which a browser does not show to its page.
const maxRefused = 100

// refuseOne reports whether another WebSocket may be accepted only to be refused.
func (s *Server) refuseOne() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.refused >= maxRefused {
		return false
	}
	s.refused++
	return true
}

func (s *Server) refusedOne() {
	s.mu.Lock()
	s.refused--
	s.mu.Unlock()
}

func (s *Server) closeRefused(ws *websocket.Conn, reason string) {
	defer s.refusedOne()
	s.sockets.Refused(telemetry.OpenStreams)
	_ = ws.Close(websocket.StatusTryAgainLater, reason)
}

// socketContext returns the context of the operations on a WebSocket. It has the viewer and the
// client's address, and keeps nothing else of the request.
func socketContext(r *http.Request) context.Context {
	ctx := viewer.NewContext(context.Background(), viewer.FromContext(r.Context()))
	few := &http.Request{RemoteAddr: r.RemoteAddr, Header: http.Header{}}
	for _, name := range []string{"X-Forwarded-For", "User-Agent"} {
		if values, ok := r.Header[name]; ok {
			few.Header[name] = values
		}
	}
	return clientip.NewContext(ctx, few)
}

// leanWriter hands over a connection with small buffers, because net/http's would be most of the
// memory of an idle WebSocket.
type leanWriter struct {
	http.ResponseWriter
	conn net.Conn // the connection that was handed over
}

// These are the sizes of the buffers in bytes. A larger message takes a second system call.
const (
	readBuffer  = 512
	writeBuffer = 1 << 10
)

// Hijack implements http.Hijacker.
func (w *leanWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, buffered, err := http.NewResponseController(w.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	early, _ := buffered.Reader.Peek(buffered.Reader.Buffered())
	reader := bufio.NewReaderSize(bytes.NewReader(bytes.Clone(early)), max(readBuffer, len(early)))
	_, _ = reader.Peek(len(early)) // the library takes what is buffered, and reads on from conn
	w.conn = conn
	return conn, bufio.NewReadWriter(reader, bufio.NewWriterSize(conn, writeBuffer)), nil
}
