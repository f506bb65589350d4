package httpserver

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync/atomic"
	"testing"
)

// countingListener counts the writes to its connections.
type countingListener struct {
	net.Listener
	writes atomic.Int64
}

// countedConn is a connection of a countingListener.
type countedConn struct {
	net.Conn
	writes *atomic.Int64
}

func (l *countingListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	return countedConn{conn, &l.writes}, err
}

func (c countedConn) Write(b []byte) (int, error) {
	c.writes.Add(1)
	return c.Conn.Write(b)
}

// TestCorkedConn requests answers of all lengths around once and twice the size of net/http's
// buffer, and some larger ones. All arrive complete, and up to 64 KiB with one write.
func TestCorkedConn(t *testing.T) {
	t.Parallel()
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := &countingListener{Listener: inner}
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n, err := strconv.Atoi(r.URL.Query().Get("n"))
		if err != nil {
			panic(err)
		}
		w.Header().Set("Content-Length", strconv.Itoa(n))
		if r.URL.Query().Has("last") {
			w.Header().Set("Connection", "close")
		}
		_, _ = w.Write(answerOf(n))
	})}
	go func() { _ = srv.Serve(listener{Listener: l}) }()
	t.Cleanup(func() { srv.Close() })
	ask := func(n int, more string, most int64) {
		t.Helper()
		l.writes.Store(0)
		res, err := http.Get(fmt.Sprintf("http://%s/?n=%d%s", l.Addr(), n, more))
		if err != nil {
			t.Fatalf("%d bytes: %v", n, err)
		}
		defer res.Body.Close()
		body, err := io.ReadAll(res.Body)
		if err != nil || !bytes.Equal(body, answerOf(n)) {
			t.Fatalf("%d bytes: %v, and %d bytes came", n, err, len(body))
		}
		if writes := l.writes.Load(); writes > most {
			t.Errorf("%d bytes took %d writes, want %d at most", n, writes, most)
		}
	}
	// The headers take less than 300 bytes, so some answers are exactly as long as the buffer.
	for n := netHTTPBuffer - 300; n < netHTTPBuffer+300; n++ {
		ask(n, "", 1)
		ask(n+netHTTPBuffer, "", 1)
	}
	ask(netHTTPBuffer-100, "&last", 1)
	ask(netHTTPBuffer+100, "&last", 1)
	for _, n := range []int{0, 1, 60_000, 1 << 20} {
		ask(n, "", max(1, int64(n)>>18))
	}
}

// answerOf returns n bytes that do not repeat at the size of net/http's buffer.
func answerOf(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i % 251)
	}
	return b
}

// TestCorkedConnCloses checks that a connection sends its bytes before it is closed for writing,
// and can still be read.
func TestCorkedConnCloses(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	client, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	conn, err := listener{Listener: l}.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.Write(answerOf(netHTTPBuffer)); err != nil {
		t.Fatal(err)
	}
	if err := conn.(interface{ CloseWrite() error }).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(client); err != nil || !bytes.Equal(got, answerOf(netHTTPBuffer)) {
		t.Errorf("%v, and %d bytes came", err, len(got))
	}
	if _, err := client.Write([]byte("more")); err != nil {
		t.Error(err)
	}
	if got := make([]byte, 4); true {
		if _, err := io.ReadFull(conn, got); err != nil || string(got) != "more" {
			t.Errorf("%q: %v", got, err)
		}
	}
}
