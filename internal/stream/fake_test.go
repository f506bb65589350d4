package stream_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/google/uuid"
	"github.com/vektah/gqlparser/v2/ast"

	"forge/internal/database"
	"forge/internal/httpserver"
	"forge/internal/metrics"
	"forge/internal/stream"
	"forge/internal/token"
	"forge/internal/viewer"
)

// fake is an Executor. The query of an operation is what it does:
//
//	count N      sends N answers and ends
//	size N       sends an answer with a body of N bytes, and waits
//	feed         sends all that is published, with cursors; extensions.after is where it begins
//	viewer       sends the viewer's role, and ends
//	after        sends the cursor that it was given, and ends
//	refuse       cannot run
//	fail, panic, panic early
//	mutation     runs a mutation
type fake struct {
	mu         sync.Mutex
	published  [][]byte
	operations map[*fakeOperation]bool
	mutations  int
}

func (f *fake) Subscribe(ctx context.Context, params *graphql.RawParams, after string, wake func()) stream.Operation {
	if params.Query == "panic early" {
		panic("as it happens")
	}
	o := &fakeOperation{fake: f, ctx: ctx, query: params.Query, after: after, wake: wake}
	o.position, _ = strconv.Atoi(after)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.operations[o] = true
	return o
}

func (f *fake) publish(body string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.published = append(f.published, []byte(body))
	for o := range f.operations {
		o.wake()
	}
}

// open returns how many operations were not closed.
func (f *fake) open() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.operations)
}

type fakeOperation struct {
	fake     *fake
	ctx      context.Context
	query    string
	after    string
	position int
	wake     func()
}

func (o *fakeOperation) Kind() ast.Operation {
	switch o.query {
	case "refuse":
		return ""
	case "mutation":
		return ast.Mutation
	default:
		return ast.Subscription
	}
}

func (o *fakeOperation) Next(ctx context.Context) (*stream.Answer, error) {
	name, rest, _ := strings.Cut(o.query, " ")
	n, _ := strconv.Atoi(rest)
	o.position++
	switch name {
	case "refuse":
		return &stream.Answer{Body: []byte(`{"errors":[{"message":"no"}]}`), Refused: true}, nil
	case "fail":
		return nil, errors.New("the disk is full")
	case "panic":
		panic("as it happens")
	case "count":
		if o.position > n {
			return nil, io.EOF
		}
		return &stream.Answer{Body: fmt.Appendf(nil, `{"data":%d}`, o.position)}, nil
	case "viewer":
		return o.once(viewer.FromContext(ctx).Role.String())
	case "after":
		return o.once(o.after)
	case "mutation":
		o.fake.mu.Lock()
		o.fake.mutations++
		o.fake.mu.Unlock()
		return o.once("done")
	case "size":
		if o.position > 1 {
			return nil, nil
		}
		return &stream.Answer{Body: []byte(`{"data":"` + strings.Repeat("x", n-len(`{"data":""}`)) + `"}`)}, nil
	}
	o.fake.mu.Lock()
	defer o.fake.mu.Unlock()
	if o.position--; o.position >= len(o.fake.published) {
		return nil, nil
	}
	o.position++
	return &stream.Answer{Body: o.fake.published[o.position-1], Cursor: strconv.Itoa(o.position)}, nil
}

// once returns an answer for the first call, and the end for the second.
func (o *fakeOperation) once(text string) (*stream.Answer, error) {
	if text == o.query {
		return nil, io.EOF
	}
	o.query += " "
	if strings.HasSuffix(o.query, "  ") {
		return nil, io.EOF
	}
	return &stream.Answer{Body: []byte(`{"data":"` + text + `"}`)}, nil
}

func (o *fakeOperation) Close() {
	o.fake.mu.Lock()
	defer o.fake.mu.Unlock()
	delete(o.fake.operations, o)
}

// rig is a real server with a fake Executor.
type rig struct {
	*fake
	streams *stream.Server
	metrics *metrics.Metrics
	addr    string
	stop    func() // sends the order to end, and returns at once
	ended   chan error
	log     *lockedBuffer
	issue   func(role viewer.Role, ttl time.Duration) string
	revoke  func()
}

// options change a rig.
type options struct {
	max        int
	share      int
	body       int64
	anonymous  bool // whether there are no tokens
	connection httpserver.Connection
	delay      time.Duration
	origins    []string
}

func newRig(t testing.TB, o options) *rig {
	t.Helper()
	db, err := database.Open("sqlite::memory:", database.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	r := &rig{fake: &fake{operations: map[*fakeOperation]bool{}}, metrics: metrics.New(db), log: new(lockedBuffer), ended: make(chan error, 1)}
	log := slog.New(slog.NewTextHandler(r.log, nil))
	config := stream.Options{Executor: r.fake, Max: o.max, MaxPerClient: o.share, MaxBodyBytes: o.body, Metrics: r.metrics, Log: log}
	if !o.anonymous {
		config.Tokens = r.tokens(t)
	}
	r.streams = stream.New(config)
	parts := httpserver.Parts{
		API: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "the API") }), Streams: r.streams,
		Ready: http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}), Origins: o.origins, Tokens: config.Tokens, Compression: true, Metrics: r.metrics, Log: log,
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r.addr = l.Addr().String()
	ctx, cancel := context.WithCancel(context.Background())
	r.stop = cancel
	go func() {
		r.ended <- httpserver.Serve(ctx, l, httpserver.Routes(parts), r.streams, o.connection, log, o.delay)
	}()
	t.Cleanup(func() {
		cancel()
		select {
		case err := <-r.ended:
			if err != nil {
				t.Error(err)
			}
		case <-time.After(30 * time.Second):
			t.Error("the server does not end")
		}
		r.ended <- nil
	})
	return r
}

// tokens returns a verifier, and sets issue and revoke.
func (r *rig) tokens(t testing.TB) *token.Verifier {
	options := token.Options{Secret: "a secret that nobody knows, of more than 32 bytes", Issuer: "forge", Audience: "forge", RoleClaim: "role", UserClaim: "sub"}
	keys, err := token.ReadKeys(options.Secret, "")
	if err != nil {
		t.Fatal(err)
	}
	revoked := new(revocations)
	verifier := token.NewVerifier(options, keys, slog.New(slog.DiscardHandler))
	verifier.Revocations = revoked
	r.revoke = revoked.all
	r.issue = func(role viewer.Role, ttl time.Duration) string {
		timed := options
		timed.TTL = ttl
		text, _, err := token.NewIssuer(timed, keys).Issue(uuid.New(), role, uuid.New(), uuid.New(), time.Now(), time.Now())
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	return verifier
}

type revocations struct {
	mu    sync.Mutex
	after time.Time
}

func (r *revocations) all() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.after = time.Now().Add(time.Second)
}

func (r *revocations) ValidAfter(uuid.UUID) (time.Time, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.after, nil
}

func (r *revocations) Now() time.Time { return time.Now() }

// lockedBuffer is a log that may be read while it is written.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// eventually waits until a condition holds.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !holds(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("this does not come: " + what)
		}
	}
}
