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

// ask sends a request on a connection that is kept, and returns the answer.
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

// TestLeaving ends a server that is to go on for a while: connections that are kept and new ones are answered, each for a last time.
func TestLeaving(t *testing.T) {
	t.Parallel()
	l, err := Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	handler := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("done")) })
	go func() {
		ended <- serve(ctx, l, handler, Connection{}, slog.New(slog.DiscardHandler), 2*time.Second, time.Minute)
	}()
	dial := func() net.Conn {
		conn, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		return conn
	}
	kept, busy := dial(), dial()
	if ask(t, kept).Close || ask(t, busy).Close {
		t.Error("a server that stays closes connections")
	}
	stop()
	for !ask(t, busy).Close { // until it knows
		time.Sleep(time.Millisecond)
	}
	if !ask(t, kept).Close {
		t.Error("a server that leaves keeps a connection")
	}
	if !ask(t, dial()).Close {
		t.Error("a server that leaves keeps a new connection")
	}
	if err := <-ended; err != nil {
		t.Errorf("the end: %v", err)
	}
	if conn, err := net.Dial("tcp", l.Addr().String()); err == nil {
		conn.Close()
		t.Error("it still takes connections")
	}
}
