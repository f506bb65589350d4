package graphqlhttp_test

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/handler"

	"forge/internal/admission"
	"forge/internal/graphqlhttp"
)

// newGated is a server whose operations come to their end one for each time that letGo is sent something, and none once it is closed.
func newGated(t *testing.T, limiter *admission.Limiter) (srv *handler.Server, begun, letGo chan bool) {
	t.Helper()
	begun, letGo = make(chan bool, 10), make(chan bool)
	srv = newServer(func(ctx context.Context) *graphql.Response {
		begun <- true
		<-letGo
		return hello(ctx)
	}, graphqlhttp.Transport{Admission: limiter})
	return srv, begun, letGo
}

const helloBody = `{"query":"{ hello }"}`

// wantTurnedAway checks the answer of a server that has too much to do.
func wantTurnedAway(t *testing.T, w *httptest.ResponseRecorder) {
	t.Helper()
	a, hasData := mustDecode(t, w)
	if w.Code != 503 || w.Header().Get("Retry-After") != "1" || hasData || len(a.Errors) != 1 || a.Errors[0].Extensions.Code != "UNAVAILABLE" {
		t.Errorf("%d %v %s, want 503, Retry-After and UNAVAILABLE alone", w.Code, w.Header(), w.Body)
	}
}

// TestOverload fills the server: what has no place is turned away, the others are answered.
func TestOverload(t *testing.T) {
	t.Parallel()
	limiter := admission.New(1, 1, time.Hour)
	srv, begun, letGo := newGated(t, limiter)
	answers := make(chan *httptest.ResponseRecorder, 2)
	post := func() { answers <- serve(srv, newPost(helloBody, "")) }
	go post()
	<-begun
	go post()
	for !limiter.Full() {
		time.Sleep(time.Millisecond)
	}
	for _, accept := range []string{plainJSON, responseJSON} {
		wantTurnedAway(t, serve(srv, newPost(helloBody, accept)))
	}
	close(letGo)
	for range 2 {
		if w := <-answers; w.Code != 200 || !strings.Contains(w.Body.String(), "world") {
			t.Errorf("one that had a place: %d %s", w.Code, w.Body)
		}
	}
	if w := serve(srv, newPost(helloBody, "")); w.Code != 200 {
		t.Errorf("afterwards: %d %s", w.Code, w.Body)
	}
}

func TestQueuedTooLong(t *testing.T) {
	t.Parallel()
	srv, begun, letGo := newGated(t, admission.New(1, 1, time.Millisecond))
	defer close(letGo)
	go serve(srv, newPost(helloBody, ""))
	<-begun
	wantTurnedAway(t, serve(srv, newPost(helloBody, "")))
}

// dial sends the head of a request, and what there is of its body, on a connection of its own.
func dial(t *testing.T, address, body string, length int) (net.Conn, *bufio.Reader) {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	_, err = fmt.Fprintf(conn, "POST /graphql HTTP/1.1\r\nHost: forge\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", length, body)
	if err != nil {
		t.Fatal(err)
	}
	return conn, bufio.NewReader(conn)
}

func mustRespond(t *testing.T, r *bufio.Reader, status int) {
	t.Helper()
	res, err := http.ReadResponse(r, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Discard(int(res.ContentLength)); err != nil {
		t.Fatal(err)
	}
	if res.StatusCode != status {
		t.Errorf("status %d, want %d", res.StatusCode, status)
	}
}

// TestSlowSender has a request that never arrives in full: it takes no place.
func TestSlowSender(t *testing.T) {
	t.Parallel()
	srv := newServer(hello, graphqlhttp.Transport{Admission: admission.New(1, 0, time.Hour)})
	reading := make(chan bool, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		reading <- true
		srv.ServeHTTP(w, r)
	}))
	defer server.Close()
	conn, answers := dial(t, server.Listener.Addr().String(), helloBody[:5], len(helloBody))
	<-reading
	for range 3 {
		if w := serve(srv, newPost(helloBody, "")); w.Code != 200 {
			t.Errorf("beside a slow sender: %d %s", w.Code, w.Body)
		}
	}
	if _, err := conn.Write([]byte(helloBody[5:])); err != nil {
		t.Fatal(err)
	}
	mustRespond(t, answers, 200)
}

// slowReader takes an answer when others have had theirs.
type slowReader struct {
	*httptest.ResponseRecorder
	written, read chan bool
}

func (r slowReader) Write(b []byte) (int, error) {
	r.written <- true
	<-r.read
	return r.ResponseRecorder.Write(b)
}

func TestSlowReader(t *testing.T) {
	t.Parallel()
	srv := newServer(hello, graphqlhttp.Transport{Admission: admission.New(1, 0, time.Hour)})
	slow := slowReader{httptest.NewRecorder(), make(chan bool), make(chan bool)}
	done := make(chan bool)
	go func() {
		defer close(done)
		srv.ServeHTTP(slow, newPost(helloBody, ""))
	}()
	<-slow.written
	if w := serve(srv, newPost(helloBody, "")); w.Code != 200 {
		t.Errorf("beside a slow reader: %d %s", w.Code, w.Body)
	}
	close(slow.read)
	<-done
}

// TestPanicLeaves has an operation that panics: its place is free afterwards.
func TestPanicLeaves(t *testing.T) {
	t.Parallel()
	panics := true
	srv := newServer(func(ctx context.Context) *graphql.Response {
		if panics {
			panic("as it happens")
		}
		return hello(ctx)
	}, graphqlhttp.Transport{Admission: admission.New(1, 0, time.Hour)})
	serve(srv, newPost(helloBody, ""))
	panics = false
	if w := serve(srv, newPost(helloBody, "")); w.Code != 200 {
		t.Errorf("after a panic: %d %s", w.Code, w.Body)
	}
}
