package httpserver

import (
	"bufio"
	"context"
	"log/slog"
	"net"
	"net/http"
	"testing"
	"time"
)

// ask sends a request on an open connection, and returns the answer.
func ask(t *testing.T, conn net.Conn) *http.Response {
	t.Helper()
	if _, err := conn.Write([]byte("GET / HTTP/1.1\r\nHost: forge\r\n\r\n")); err != nil {
		t.Fatal(err)
	}
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	mustRead(t, res.Body)
	return res
}

// TestServeDelay ends a server with a delay. Requests on open and new connections are answered, and
// each connection is closed after its answer.
func TestServeDelay(t *testing.T) {
	t.Parallel()
	l, err := Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	handler := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("done")) })
	go func() {
		ended <- serve(ctx, l, handler, nil, Connection{}, slog.New(slog.DiscardHandler), 2*time.Second, time.Minute)
	}()
	dial := func() net.Conn {
		conn, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		return conn
	}
	open, busy := dial(), dial()
	if ask(t, open).Close || ask(t, busy).Close {
		t.Error("a server that is not ending closes connections")
	}
	stop()
	for !ask(t, busy).Close { // until the server has noticed
		time.Sleep(time.Millisecond)
	}
	if !ask(t, open).Close {
		t.Error("an ending server does not close a connection")
	}
	if !ask(t, dial()).Close {
		t.Error("an ending server does not close a new connection")
	}
	if err := <-ended; err != nil {
		t.Errorf("the end: %v", err)
	}
	if conn, err := net.Dial("tcp", l.Addr().String()); err == nil {
		conn.Close()
		t.Error("it still takes connections")
	}
}
