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

// newLimited returns a server whose operations wait. Each operation sends to begun when it begins,
// and ends when it receives from letGo. After letGo is closed, operations do not wait.
func newLimited(t *testing.T, limiter *admission.Limiter) (srv *handler.Server, begun, letGo chan bool) {
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

// wantOverloaded checks the answer of a server that is full.
func wantOverloaded(t *testing.T, w *httptest.ResponseRecorder) {
	t.Helper()
	a, hasData := mustDecode(t, w)
	if w.Code != 503 || w.Header().Get("Retry-After") != "1" || hasData || len(a.Errors) != 1 || a.Errors[0].Extensions.Code != "UNAVAILABLE" {
		t.Errorf("%d %v %s, want 503, Retry-After and UNAVAILABLE alone", w.Code, w.Header(), w.Body)
	}
}

// TestAdmission fills a server: operations without a place are refused, and the others are
// answered.
func TestAdmission(t *testing.T) {
	t.Parallel()
	limiter := admission.New(1, 1, time.Hour)
	srv, begun, letGo := newLimited(t, limiter)
	answers := make(chan *httptest.ResponseRecorder, 2)
	post := func() { answers <- serve(srv, newPost(helloBody, "")) }
	go post()
	<-begun
	go post()
	for !limiter.Full() {
		time.Sleep(time.Millisecond)
	}
	for _, accept := range []string{plainJSON, responseJSON} {
		wantOverloaded(t, serve(srv, newPost(helloBody, accept)))
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

// TestAdmissionTimeout has an operation wait for too long.
func TestAdmissionTimeout(t *testing.T) {
	t.Parallel()
	srv, begun, letGo := newLimited(t, admission.New(1, 1, time.Millisecond))
	defer close(letGo)
	go serve(srv, newPost(helloBody, ""))
	<-begun
	wantOverloaded(t, serve(srv, newPost(helloBody, "")))
}

// dial sends the headers of a request and a part of its body on a new connection.
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

// mustRespond reads an answer, and checks its status.
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

// TestAdmissionSlowSender checks that a request whose body has not arrived holds no place.
func TestAdmissionSlowSender(t *testing.T) {
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

// slowReader is a client that reads its answer when read is closed.
type slowReader struct {
	*httptest.ResponseRecorder
	written, read chan bool
}

func (r slowReader) Write(b []byte) (int, error) {
	r.written <- true
	<-r.read
	return r.ResponseRecorder.Write(b)
}

// TestAdmissionSlowReader checks that an answer that is not read yet holds no place.
func TestAdmissionSlowReader(t *testing.T) {
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

// TestAdmissionPanic checks that an operation that panics releases its place.
func TestAdmissionPanic(t *testing.T) {
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
