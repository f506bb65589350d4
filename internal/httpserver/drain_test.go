package httpserver

import (
	"bufio"
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// TestServeEndAnswersConnections ends servers without a delay, while clients open a new connection
// for each request. A connection is refused, or its request is answered.
func TestServeEndAnswersConnections(t *testing.T) {
	t.Parallel()
	for range 5 {
		answered, broken := endUnderConnections(t)
		if answered == 0 {
			t.Error("no request was answered before the end")
		}
		if broken > 0 {
			t.Errorf("%d requests were sent and not answered, of %d", broken, answered+broken)
		}
	}
}

// endUnderConnections ends a server under load. It returns how many requests were answered, and how
// many were sent on a connection that was established and then broke.
func endUnderConnections(t *testing.T) (answered, broken int64) {
	l, err := Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	handler := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("done")) })
	go func() {
		ended <- Serve(ctx, l, handler, nil, Connection{}, slog.New(slog.DiscardHandler), 0)
	}()
	var good, bad atomic.Int64
	var clients sync.WaitGroup
	for range 8 {
		clients.Go(func() {
			for {
				conn, err := net.DialTimeout("tcp", l.Addr().String(), 10*time.Second)
				if err != nil {
					if !errors.Is(err, syscall.ECONNREFUSED) && !errors.Is(err, syscall.ECONNRESET) {
						t.Error(err)
					}
					return // it was refused, so no request was sent on it
				}
				if answers(conn) {
					good.Add(1)
				} else {
					bad.Add(1)
				}
				conn.Close()
			}
		})
	}
	for good.Load() < 100 {
		time.Sleep(time.Millisecond)
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	clients.Wait()
	return good.Load(), bad.Load()
}

// answers reports whether a request on the connection is answered.
func answers(conn net.Conn) bool {
	if _, err := conn.Write([]byte("GET / HTTP/1.1\r\nHost: forge\r\n\r\n")); err != nil {
		return false
	}
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	return err == nil && res.StatusCode == http.StatusOK
}
