package stream_test

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"forge/internal/httpserver"
)

// eventClient reads server-sent events.
type eventClient struct {
	*http.Response
	t     testing.TB
	lines *bufio.Reader
}

// post asks for a stream by POST.
func (r *rig) post(t testing.TB, body string, header http.Header) *eventClient {
	t.Helper()
	return r.do(t, "POST", "", body, header)
}

func (r *rig) do(t testing.TB, method, query, body string, header http.Header) *eventClient {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	t.Cleanup(cancel)
	req, err := http.NewRequestWithContext(ctx, method, "http://"+r.addr+"/graphql"+query, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept", "text/event-stream")
	req.Header.Set("Accept-Encoding", "gzip, zstd")
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for name, values := range header {
		req.Header[name] = values
	}
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { res.Body.Close() })
	return &eventClient{res, t, bufio.NewReaderSize(res.Body, 1<<17)}
}

// want checks the next bytes.
func (e *eventClient) want(text string) {
	e.t.Helper()
	got := make([]byte, len(text))
	if n, err := io.ReadFull(e.lines, got); err != nil || string(got) != text {
		e.t.Fatalf("the client gets %.200q, %v, want %.200q", got[:n], err, text)
	}
}

// wantEnd checks all that is left.
func (e *eventClient) wantEnd(text string) {
	e.t.Helper()
	got, err := io.ReadAll(e.lines)
	if err != nil || string(got) != text {
		e.t.Fatalf("the client gets %q, %v, want %q", got, err, text)
	}
}

const complete = "event: complete\ndata:\n\n"

// TestEvents checks the events of operations.
func TestEvents(t *testing.T) {
	t.Parallel()
	r := newRig(t, options{max: 10})
	for _, tt := range []struct {
		name, method, query, body string
		header                    http.Header
		want                      string
	}{
		{name: "answers", body: `{"query":"count 2"}`, want: "event: next\ndata: {\"data\":1}\n\nevent: next\ndata: {\"data\":2}\n\n" + complete},
		{name: "refused", body: `{"query":"refuse"}`, want: "event: next\ndata: {\"errors\":[{\"message\":\"no\"}]}\n\n" + complete},
		{name: "mutation", body: `{"query":"mutation"}`, want: "event: next\ndata: {\"data\":\"done\"}\n\n" + complete},
		{name: "cursor", body: `{"query":"after","extensions":{"after":"c1"}}`, want: "event: next\ndata: {\"data\":\"c1\"}\n\n" + complete},
		{name: "newer cursor", body: `{"query":"after","extensions":{"after":"c1"}}`, header: http.Header{"Last-Event-Id": {"c2"}},
			want: "event: next\ndata: {\"data\":\"c2\"}\n\n" + complete},
		{name: "GET", method: "GET", query: "?query=count+1", want: "event: next\ndata: {\"data\":1}\n\n" + complete},
	} {
		e := r.do(t, max(tt.method, "POST"), tt.query, tt.body, tt.header)
		if tt.method == "GET" {
			e.Body.Close()
			e = r.do(t, tt.method, tt.query, tt.body, tt.header)
		}
		h := e.Header
		if e.StatusCode != 200 || h.Get("Content-Type") != "text/event-stream; charset=utf-8" || h.Get("Cache-Control") != "no-store" ||
			h.Get("X-Accel-Buffering") != "no" || h.Get("Content-Encoding") != "" {
			t.Errorf("%s: the answer begins with %d and %v", tt.name, e.StatusCode, h)
		}
		e.t = t
		e.wantEnd(tt.want)
	}
	eventually(t, "all is closed", func() bool { return r.open() == 0 && r.streams.Slots() == 0 })
}

// TestEventsRefused checks requests for events that get an ordinary answer.
func TestEventsRefused(t *testing.T) {
	t.Parallel()
	r, off, full := newRig(t, options{max: 10, body: 1000}), newRig(t, options{}), newRig(t, options{max: 1})
	full.post(t, `{"query":"feed"}`, nil)
	const json = "application/json"
	for _, tt := range []struct {
		name, method, query, body string
		rig                       *rig
		header                    http.Header
		status                    int
	}{
		{"mutation by GET", "GET", "?query=mutation", "", r, nil, 405},
		{"no query", "GET", "?", "", r, nil, 400},
		{"no JSON", "POST", "", "{", r, nil, 400},
		{"form", "POST", "", "query=feed", r, http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}, 415},
		{"too large", "POST", "", `{"query":"` + strings.Repeat("x", 1000) + `"}`, r, nil, 413},
		{"cursor of another type", "POST", "", `{"query":"feed","extensions":{"after":1}}`, r, nil, 400},
		{"bad token", "POST", "", `{"query":"feed"}`, r, http.Header{"Authorization": {"Bearer x"}}, 401},
		{"other origin", "POST", "", `{"query":"feed"}`, r, http.Header{"Origin": {"https://evil.example.com"}}, 403},
		{"other method", "PUT", "", `{"query":"feed"}`, r, nil, 405},
		{"STREAMS=0", "POST", "", `{"query":"feed"}`, off, nil, 400},
		{"full", "POST", "", `{"query":"feed"}`, full, nil, 503},
		{"JSON first", "POST", "", `{"query":"feed"}`, r, http.Header{"Accept": {json + ", text/event-stream"}}, 200},
		{"anything", "POST", "", `{"query":"feed"}`, r, http.Header{"Accept": {"*/*"}}, 200},
	} {
		e := tt.rig.do(t, tt.method, tt.query, tt.body, tt.header)
		if e.StatusCode != tt.status || strings.Contains(e.Header.Get("Content-Type"), "event-stream") {
			t.Errorf("%s: %d and %v, want %d", tt.name, e.StatusCode, e.Header, tt.status)
		}
		if e.StatusCode == 503 && e.Header.Get("Retry-After") == "" {
			t.Errorf("%s: there is no Retry-After", tt.name)
		}
	}
	if r.mutations > 0 {
		t.Error("a mutation ran that came by GET")
	}
}

// TestEventsLonger has streams that last longer than all timeouts of requests, with answers of
// sizes at which buffers are full.
func TestEventsLonger(t *testing.T) {
	t.Parallel()
	short := 150 * time.Millisecond
	r := newRig(t, options{max: 10, connection: httpserver.Connection{ReadHeaderTimeout: short, ReadTimeout: short, WriteTimeout: short, StallTimeout: short, IdleTimeout: short}})
	e := r.post(t, `{"query":"feed"}`, nil)
	c := r.ready(t)
	c.subscribe("1", "feed")
	eventually(t, "both are open", func() bool { return r.open() == 2 })
	time.Sleep(2 * short)
	check := func(n int) {
		body := `{"data":"` + strings.Repeat("x", n) + `"}`
		r.publish(body)
		if got, err := c.receive(); err != nil || !strings.Contains(got, body) {
			t.Fatalf("the client gets %.100q, %v", got, err)
		}
		line, err := e.lines.ReadString('\n')
		for err == nil && !strings.HasPrefix(line, "data: ") {
			line, err = e.lines.ReadString('\n')
		}
		if err != nil || line != "data: "+body+"\n" {
			t.Fatalf("the client gets %.100q, %v", line, err)
		}
		e.want("\n")
	}
	check(10)
	time.Sleep(2 * short)
	for n := 3950; n < 4150; n++ {
		check(n)
	}
	check(70_000)
}

// TestKeepAlive checks that comments are sent, and that pings are.
func TestKeepAlive(t *testing.T) {
	t.Parallel()
	r := newRig(t, options{max: 10})
	r.streams.Shorten(0, 20*time.Millisecond, 0, 0, 0)
	r.post(t, `{"query":"feed"}`, nil).want(":\n\n:\n\n")
}

// TestClientGoes has a client that hangs up.
func TestClientGoes(t *testing.T) {
	t.Parallel()
	r := newRig(t, options{max: 10})
	e := r.post(t, `{"query":"feed"}`, nil)
	eventually(t, "it is open", func() bool { return r.open() == 1 })
	e.Body.Close()
	eventually(t, "it is closed", func() bool { return r.open() == 0 && r.streams.Slots() == 0 })
	c := r.ready(t)
	c.subscribe("1", "feed")
	eventually(t, "it is open", func() bool { return r.open() == 1 })
	_ = c.CloseNow()
	eventually(t, "it is closed", func() bool { return r.open() == 0 && r.streams.Slots() == 0 })
}

// TestResume breaks off and goes on with the ID of the last event.
func TestResume(t *testing.T) {
	t.Parallel()
	r := newRig(t, options{max: 10})
	r.publish(`{"data":"a"}`)
	r.publish(`{"data":"b"}`)
	e := r.do(t, "GET", "?query=feed", "", nil)
	e.want("event: next\nid: 1\ndata: {\"data\":\"a\"}\n\n")
	e.Body.Close()
	r.do(t, "GET", "?query=feed", "", http.Header{"Last-Event-Id": {"1"}}).want("event: next\nid: 2\ndata: {\"data\":\"b\"}\n\n")
	extensions := url.Values{"query": {"feed"}, "extensions": {`{"after":"1"}`}}
	r.do(t, "GET", "?"+extensions.Encode(), "", nil).want("event: next\nid: 2\ndata: {\"data\":\"b\"}\n\n")
}

// TestHTTP2 reads events over HTTP/2.
func TestHTTP2(t *testing.T) {
	t.Parallel()
	r := newRig(t, options{max: 10, anonymous: true})
	srv := httptest.NewUnstartedServer(r.streams)
	srv.EnableHTTP2 = true
	srv.Config.WriteTimeout, srv.Config.ReadTimeout = 200*time.Millisecond, 200*time.Millisecond
	srv.StartTLS()
	defer srv.Close()
	req, _ := http.NewRequest("POST", srv.URL+"/graphql", strings.NewReader(`{"query":"feed"}`))
	req.Header.Set("Accept", "text/event-stream")
	req.Header.Set("Content-Type", "application/json")
	res, err := srv.Client().Do(req)
	if err != nil || res.ProtoMajor != 2 {
		t.Fatal(res, err)
	}
	defer res.Body.Close()
	e := &eventClient{res, t, bufio.NewReader(res.Body)}
	time.Sleep(400 * time.Millisecond)
	r.publish(`{"data":1}`)
	e.want("event: next\nid: 1\ndata: {\"data\":1}\n\n")
}

// TestMetrics checks the measurements and the lines of the log.
func TestMetrics(t *testing.T) {
	t.Parallel()
	r := newRig(t, options{max: 10})
	c := r.ready(t)
	c.subscribe("1", "count 2")
	c.want(`{"id":"1","type":"next","payload":{"data":1}}`, `{"id":"1","type":"next","payload":{"data":2}}`, `{"id":"1","type":"complete"}`)
	r.post(t, `{"query":"feed"}`, nil)
	page := func() string {
		res, err := http.Get("http://" + r.addr + "/metrics")
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		b, _ := io.ReadAll(res.Body)
		return string(b)
	}
	for _, want := range []string{
		`forge_streams_open{transport="sse"} 1`, `forge_streams_open{transport="websocket"} 1`,
		`forge_stream_answers_total{transport="websocket"} 2`, `forge_stream_bytes_total{transport="websocket"} 20`,
	} {
		if got := page(); !strings.Contains(got, want) {
			t.Errorf("the metrics lack %s", want)
		}
	}
	_ = c.Close(4321, "")
	eventually(t, "the end is counted", func() bool {
		return strings.Contains(page(), `forge_stream_closes_total{code="other",transport="websocket"} 1`)
	})
	if log := r.log.String(); !strings.Contains(log, "msg=stream transport=websocket") || !strings.Contains(log, "end=complete") || !strings.Contains(log, "closeCode=4321") ||
		strings.Contains(log, "count 2") {
		t.Errorf("the log has %s", log)
	}
}
