package httpserver

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"forge/internal/graphqlhttp"
	"forge/internal/telemetry"
)

// large executes operations whose answers have the given number of bytes.
type large struct{ bytes int }

func (l large) CreateOperationContext(context.Context, *graphql.RawParams) (*graphql.OperationContext, gqlerror.List) {
	return &graphql.OperationContext{Operation: &ast.OperationDefinition{Operation: ast.Query}}, nil
}

func (l large) DispatchOperation(ctx context.Context, _ *graphql.OperationContext) (graphql.ResponseHandler, context.Context) {
	return func(context.Context) *graphql.Response {
		b := make([]byte, l.bytes)
		for i := range b {
			b[i] = 'x'
		}
		b[0], b[l.bytes-1] = '"', '"'
		return &graphql.Response{Data: b}
	}, ctx
}

func (l large) DispatchError(context.Context, gqlerror.List) *graphql.Response { return nil }

func (l large) PresentRecoveredError(context.Context, any) error { return nil }

// readers serves large answers. ask opens a connection and requests an answer without reading it.
// refused receives a value for each answer that ended early because its client did not read.
func readers(t *testing.T, bytes int, unsent *graphqlhttp.Unsent, limits Connection) (ask func(buffer int) net.Conn, url string, refused chan struct{}) {
	t.Helper()
	l, err := Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	api := graphqlhttp.Transport{Unsent: unsent}.Handler(large{bytes})
	refused = make(chan struct{}, 1000)
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, record := telemetry.NewContext(r.Context(), "id")
		api.ServeHTTP(w, r.WithContext(ctx))
		if record.Refused == telemetry.SlowReader {
			refused <- struct{}{}
		}
	})
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- serve(ctx, l, handler, nil, limits, slog.New(slog.DiscardHandler), 0, time.Second) }()
	t.Cleanup(func() { stop(); <-ended })
	ask = func(buffer int) net.Conn {
		conn, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		if err := conn.(*net.TCPConn).SetReadBuffer(buffer); err != nil {
			t.Fatal(err)
		}
		if _, err := fmt.Fprintf(conn, "GET /graphql?query={a} HTTP/1.1\r\nHost: forge\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		return conn
	}
	return ask, "http://" + l.Addr().String() + "/graphql?query={a}", refused
}

// wait waits for at most a minute until is returns true.
func wait(t *testing.T, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

// TestUnsentLimit has 100 clients request large answers without reading them. The answers in memory
// stay below the limit, the last clients can still read theirs, and a client that reads is
// answered.
func TestUnsentLimit(t *testing.T) {
	const clients, size, limit = 100, 8 << 20, 64 << 20
	unsent := graphqlhttp.NewUnsent(limit, Abort)
	ask, url, refused := readers(t, size, unsent, Connection{WriteTimeout: time.Hour})
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for range clients {
		ask(4 << 10)
		wait(t, "room", func() bool { return unsent.Bytes() <= limit+size })
	}
	wait(t, "the slowest to end", func() bool { return len(refused) >= clients-limit/size && unsent.Bytes() <= limit })
	runtime.GC()
	runtime.ReadMemStats(&after)
	if held := int64(after.HeapAlloc) - int64(before.HeapAlloc); held > limit+16<<20 {
		t.Errorf("%d MiB are held for clients that do not read, want %d at most", held>>20, limit>>20)
	} else {
		t.Logf("%d MiB are held for %d clients that do not read", held>>20, clients)
	}
	res, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if n, err := io.Copy(io.Discard, res.Body); err != nil || n < size {
		t.Errorf("a client that reads gets %d bytes: %v", n, err)
	}
}

// TestStall has clients that read nothing, or very slowly. Their connections are ended. A client
// that reads gets its answer, however long that takes.
func TestStall(t *testing.T) {
	t.Parallel()
	unsent := graphqlhttp.NewUnsent(1<<30, Abort)
	ask, _, refused := readers(t, 16<<20, unsent, Connection{WriteTimeout: time.Hour, StallTimeout: 2 * time.Second})
	for range 5 {
		ask(4 << 10)
	}
	drip := ask(4 << 10)
	go func() { // reads a byte from time to time
		for {
			if _, err := drip.Read(make([]byte, 1)); err != nil {
				return
			}
			time.Sleep(10 * time.Millisecond)
		}
	}()
	steady := ask(256 << 10)
	read := 0
	for b := make([]byte, 256<<10); read < 16<<20; time.Sleep(20 * time.Millisecond) {
		n, err := steady.Read(b)
		if err != nil {
			t.Fatalf("a client that reads steadily lost its connection after %d bytes: %v", read, err)
		}
		read += n
	}
	wait(t, "the connections to end", func() bool { return len(refused) == 6 && unsent.Bytes() == 0 })
}

// TestStallBetweenRequests checks that a client may wait between its requests.
func TestStallBetweenRequests(t *testing.T) {
	t.Parallel()
	const stall = 200 * time.Millisecond
	_, url, _ := readers(t, 100, nil, Connection{WriteTimeout: time.Hour, StallTimeout: stall})
	var client http.Client
	for range 3 {
		res, err := client.Get(url)
		if err != nil {
			t.Fatal(err)
		}
		if b, err := io.ReadAll(res.Body); err != nil || !strings.Contains(string(b), "xxx") {
			t.Fatalf("%q: %v", b, err)
		}
		res.Body.Close()
		time.Sleep(2 * stall)
	}
}

// TestAbortWithoutConnection checks that Abort does nothing for requests that did not come through
// Serve.
func TestAbortWithoutConnection(t *testing.T) {
	t.Parallel()
	Abort(httptest.NewRequest(http.MethodGet, "/", nil).Context())
}
