package stream_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"forge/internal/viewer"
)

// client is a WebSocket.
type client struct {
	*websocket.Conn
	t testing.TB
}

// dial opens a WebSocket.
func (r *rig) dial(t testing.TB, header http.Header) *client {
	t.Helper()
	conn, _, err := r.tryDial(header, "graphql-transport-ws")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.CloseNow() })
	conn.SetReadLimit(-1)
	return &client{conn, t}
}

func (r *rig) tryDial(header http.Header, protocols ...string) (*websocket.Conn, *http.Response, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	return websocket.Dial(ctx, "ws://"+r.addr+"/graphql", &websocket.DialOptions{HTTPHeader: header, Subprotocols: protocols})
}

// ready opens a WebSocket on which operations may run.
func (r *rig) ready(t testing.TB) *client {
	t.Helper()
	c := r.dial(t, nil)
	c.send(`{"type":"connection_init"}`)
	c.want(`{"type":"connection_ack"}`)
	return c
}

func (c *client) send(text string) {
	c.t.Helper()
	if err := c.Write(context.Background(), websocket.MessageText, []byte(text)); err != nil {
		c.t.Fatalf("send %.100s: %v", text, err)
	}
}

// subscribe begins an operation.
func (c *client) subscribe(id, query string) {
	c.t.Helper()
	c.send(fmt.Sprintf(`{"id":%q,"type":"subscribe","payload":{"query":%q}}`, id, query))
}

func (c *client) receive() (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	_, text, err := c.Read(ctx)
	return string(text), err
}

// want checks the next messages.
func (c *client) want(messages ...string) {
	c.t.Helper()
	for _, want := range messages {
		got, err := c.receive()
		if err != nil || got != want {
			c.t.Fatalf("the client gets %.200q, %v, want %.200q", got, err, want)
		}
	}
}

// wantClose checks that the server closes the connection, and returns the reason.
func (c *client) wantClose(code websocket.StatusCode) string {
	c.t.Helper()
	for {
		_, err := c.receive()
		var closed websocket.CloseError
		switch {
		case err == nil: // messages that came before
		case errors.As(err, &closed) && closed.Code == code:
			return closed.Reason
		default:
			c.t.Fatalf("the client gets %v, want it closed with %d", err, code)
		}
	}
}

// TestProtocol checks what the server answers to messages.
func TestProtocol(t *testing.T) {
	t.Parallel()
	r := newRig(t, options{max: 1000, body: 20_000})
	const acked = `{"type":"connection_ack"}`
	for _, tt := range []struct {
		name, send, want string // separated by line breaks
		code             websocket.StatusCode
		reason           string
	}{
		{name: "anonymous", send: `{"type":"connection_init","payload":null}`, want: acked},
		{name: "ping before init", send: `{"type":"ping"}`, want: `{"type":"pong"}`},
		{name: "pong", send: `{"type":"pong","payload":{}}` + "\n" + `{"type":"ping","payload":{"a":1}}`, want: `{"type":"pong"}`},
		{name: "one answer", send: "init\ncount 1", want: acked + "\n" + `{"id":"count 1","type":"next","payload":{"data":1}}` + "\n" + `{"id":"count 1","type":"complete"}`},
		{name: "none", send: "init\ncount 0", want: acked + "\n" + `{"id":"count 0","type":"complete"}`},
		{name: "several", send: "init\ncount 2", want: acked + "\n" + `{"id":"count 2","type":"next","payload":{"data":1}}` + "\n" +
			`{"id":"count 2","type":"next","payload":{"data":2}}` + "\n" + `{"id":"count 2","type":"complete"}`},
		{name: "refused", send: "init\nrefuse", want: acked + "\n" + `{"id":"refuse","type":"error","payload":[{"message":"no"}]}`},
		{name: "mutation", send: "init\nmutation", want: acked + "\n" + `{"id":"mutation","type":"next","payload":{"data":"done"}}` + "\n" + `{"id":"mutation","type":"complete"}`},
		{name: "cursor", send: "init\n" + `{"id":"é\"","type":"subscribe","payload":{"query":"after","extensions":{"after":"c7"}}}`,
			want: acked + "\n" + `{"id":"é\"","type":"next","payload":{"data":"c7"}}` + "\n" + `{"id":"é\"","type":"complete"}`},
		{name: "cursor of another type", send: "init\n" + `{"id":"1","type":"subscribe","payload":{"query":"after","extensions":{"after":7}}}`,
			want: acked + "\n" + `{"id":"1","type":"error","payload":[{"message":"extensions.after must be a text: the cursor of a change","extensions":{"code":"BAD_USER_INPUT"}}]}`},
		{name: "persisted", send: "init\n" + `{"id":"1","type":"subscribe","payload":{"extensions":{"persistedQuery":{"version":1,"sha256Hash":"x"},"after":"feed"}}}` + "\n" + `{"type":"ping"}`,
			want: acked + "\n" + `{"type":"pong"}`},
		{name: "complete of nothing", send: "init\n" + `{"id":"1","type":"complete"}` + "\n" + `{"type":"ping"}`, want: acked + "\n" + `{"type":"pong"}`},
		{name: "used ID again after its end", send: "init\nfeed\n" + `{"id":"feed","type":"complete"}` + "\nfeed\n" + `{"type":"ping"}`, want: acked + "\n" + `{"type":"pong"}`},

		{name: "before init", send: "count 1", code: 4401, reason: "connection_init"},
		{name: "second init", send: "init\ninit", code: 4429, reason: "already"},
		{name: "used ID", send: "init\nfeed\nfeed", code: 4409, reason: "Subscriber for feed already exists"},
		{name: "used long ID", send: "init\n" + strings.Repeat(`{"id":"`+strings.Repeat("é", 120)+`","type":"subscribe","payload":{"query":"feed"}}`+"\n", 2), code: 4409, reason: "…"},
		{name: "no JSON", send: "{", code: 4400, reason: "not a JSON object"},
		{name: "no object", send: "null", code: 4400, reason: "not a JSON object"},
		{name: "no UTF-8", send: "{\"type\":\"\xff\"}", code: 4400, reason: "UTF-8"},
		{name: "no type", send: "{}", code: 4400, reason: "no type"},
		{name: "other type", send: `{"type":"start"}`, code: 4400, reason: "must be"},
		{name: "type in another case", send: `{"Type":"ping"}`, code: 4400, reason: "no type"},
		{name: "no ID", send: "init\n" + `{"type":"subscribe","payload":{"query":"feed"}}`, code: 4400, reason: "id"},
		{name: "ID that is a number", send: "init\n" + `{"id":1,"type":"subscribe","payload":{"query":"feed"}}`, code: 4400, reason: "id"},
		{name: "ID that is too long", send: "init\n" + `{"id":"` + strings.Repeat("x", 257) + `","type":"complete"}`, code: 4400, reason: "id"},
		{name: "no payload", send: "init\n" + `{"id":"1","type":"subscribe"}`, code: 4400, reason: "payload"},
		{name: "payload of another type", send: `{"type":"connection_init","payload":"x"}`, code: 4400, reason: "payload"},
		{name: "no query", send: "init\n" + `{"id":"1","type":"subscribe","payload":{}}`, code: 4400, reason: "query is missing"},
		{name: "variables of another type", send: "init\n" + `{"id":"1","type":"subscribe","payload":{"query":"feed","variables":[]}}`, code: 4400, reason: "variables"},
		{name: "too large", send: "init\n" + strings.Repeat(" ", 20_001), code: 1009, reason: ""},
		{name: "too large before init", send: strings.Repeat(" ", 17_000), code: 1009, reason: ""},
		{name: "bad token", send: `{"type":"connection_init","payload":{"authorization":"Bearer x"}}`, code: 4403, reason: "not a signed"},
		{name: "no bearer", send: `{"type":"connection_init","payload":{"Authorization":"Basic x"}}`, code: 4403, reason: "Bearer"},
		{name: "token of another type", send: `{"type":"connection_init","payload":{"authorization":7}}`, code: 4403, reason: "text"},
		{name: "two tokens", send: `{"type":"connection_init","payload":{"authorization":"a","Authorization":"b"}}`, code: 4403, reason: "more than one"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := r.dial(t, nil)
			for line := range strings.SplitSeq(strings.TrimSuffix(tt.send, "\n"), "\n") {
				switch {
				case line == "init":
					c.send(`{"type":"connection_init"}`)
				case line == "" || strings.ContainsAny(line, "{ ") && !strings.HasPrefix(line, "count"), line == "null":
					c.send(line)
				default:
					c.subscribe(line, line)
				}
			}
			if tt.code == 0 {
				c.want(strings.Split(tt.want, "\n")...)
				return
			}
			if reason := c.wantClose(tt.code); !strings.Contains(reason, tt.reason) {
				t.Errorf("the reason is %q, want %q", reason, tt.reason)
			}
		})
	}
	t.Cleanup(func() { eventually(t, "all operations are closed", func() bool { return r.open() == 0 }) })
}

// TestFailures checks that an operation that fails or panics is told to its client alone.
func TestFailures(t *testing.T) {
	t.Parallel()
	r := newRig(t, options{max: 10})
	c := r.ready(t)
	for _, query := range []string{"fail", "panic", "panic early"} {
		c.subscribe("1", query)
		got, err := c.receive()
		if err != nil || !strings.HasPrefix(got, `{"id":"1","type":"error","payload":[{"message":"internal error"`) || !strings.Contains(got, `"requestId"`) {
			t.Errorf("%s: the client gets %q, %v", query, got, err)
		}
	}
	c.subscribe("1", "count 0")
	c.want(`{"id":"1","type":"complete"}`)
	if log := r.log.String(); !strings.Contains(log, "the disk is full") || strings.Contains(log, "as it happens") || strings.Count(log, "msg=panic") != 2 {
		t.Errorf("the log has %s", log)
	}
}

// TestBinary sends a binary message.
func TestBinary(t *testing.T) {
	t.Parallel()
	r := newRig(t, options{max: 10})
	c := r.dial(t, nil)
	if err := c.Write(t.Context(), websocket.MessageBinary, []byte(`{"type":"ping"}`)); err != nil {
		t.Fatal(err)
	}
	c.wantClose(4400)
}

// TestUpgradeRefused checks requests for a WebSocket that get an answer.
func TestUpgradeRefused(t *testing.T) {
	t.Parallel()
	r := newRig(t, options{max: 10, origins: []string{"https://app.example.com"}})
	off := newRig(t, options{})
	for _, tt := range []struct {
		name     string
		rig      *rig
		header   http.Header
		protocol string
		status   int
	}{
		{"no subprotocol", r, nil, "", 400},
		{"old subprotocol", r, nil, "graphql-ws", 400},
		{"bad token", r, http.Header{"Authorization": {"Bearer x"}}, "graphql-transport-ws", 401},
		{"other origin", r, http.Header{"Origin": {"https://evil.example.com"}}, "graphql-transport-ws", 403},
		{"null origin", r, http.Header{"Origin": {"null"}}, "graphql-transport-ws", 403},
		{"named origin", r, http.Header{"Origin": {"https://app.example.com"}}, "graphql-transport-ws", 101},
		{"own origin behind a proxy", r, http.Header{"Origin": {"https://proxy.example.com"}, "Sec-Fetch-Site": {"same-origin"}}, "graphql-transport-ws", 101},
		{"own origin", r, http.Header{"Origin": {"http://" + r.addr}}, "graphql-transport-ws", 101},
		{"among others", r, nil, "graphql-ws,graphql-transport-ws", 101},
		{"STREAMS=0", off, nil, "graphql-transport-ws", 400},
	} {
		conn, res, err := tt.rig.tryDial(tt.header, strings.Split(tt.protocol, ",")...)
		if err == nil {
			_ = conn.CloseNow()
		}
		if res == nil || res.StatusCode != tt.status {
			t.Errorf("%s: %v, %v, want %d", tt.name, res, err, tt.status)
		}
	}
}

// TestViewer checks whose operation it is.
func TestViewer(t *testing.T) {
	t.Parallel()
	r := newRig(t, options{max: 10})
	ada := "Bearer " + r.issue(viewer.Admin, time.Hour)
	for _, tt := range []struct{ name, header, payload, want string }{
		{"nobody", "", "", viewer.Anonymous.String()},
		{"in the request", ada, "", viewer.Admin.String()},
		{"in the payload", "", `{"AuthoriZation":"` + ada + `"}`, viewer.Admin.String()},
		{"in both", "Bearer " + r.issue(viewer.User, time.Hour), `{"authorization":"` + ada + `"}`, viewer.Admin.String()},
	} {
		header := http.Header{}
		if tt.header != "" {
			header.Set("Authorization", tt.header)
		}
		c := r.dial(t, header)
		c.send(`{"type":"connection_init","payload":` + max(tt.payload, "null") + `}`)
		c.want(`{"type":"connection_ack"}`)
		c.subscribe("1", "viewer")
		c.want(`{"id":"1","type":"next","payload":{"data":"` + tt.want + `"}}`)
	}
}

// TestOperations has more operations than a connection may have, and than the server may have.
func TestOperations(t *testing.T) {
	t.Parallel()
	r := newRig(t, options{max: 110})
	first := r.ready(t)
	for i := range 100 {
		first.subscribe(fmt.Sprint(i), "feed")
	}
	first.subscribe("100", "feed")
	if got, _ := first.receive(); !strings.Contains(got, `"id":"100","type":"error"`) || !strings.Contains(got, "UNAVAILABLE") {
		t.Errorf("the client gets %q", got)
	}
	first.send(`{"id":"7","type":"complete"}`)
	first.subscribe("100", "count 0")
	first.want(`{"id":"100","type":"complete"}`)

	second := r.ready(t)
	eventually(t, "places", func() bool { return r.streams.Slots() == 100 })
	for i := range 12 {
		second.subscribe(fmt.Sprint(i), "feed")
	}
	if got, _ := second.receive(); !strings.Contains(got, `"id":"11","type":"error"`) || !strings.Contains(got, "come back later") {
		t.Errorf("the client gets %q", got)
	}
	third := r.dial(t, nil)
	third.wantClose(1013)
	_ = first.Close(websocket.StatusNormalClosure, "")
	eventually(t, "places", func() bool { return r.streams.Slots() == 11 })
	r.ready(t)
}

// TestSizes sends answers whose frames have sizes at which buffers are full. Among them are writes
// of exactly 4,096 bytes, which package httpserver holds back.
func TestSizes(t *testing.T) {
	t.Parallel()
	r := newRig(t, options{max: 10})
	c := r.ready(t)
	frame := len(`{"id":"1","type":"next","payload":}`)
	check := func(body int) {
		c.subscribe("1", fmt.Sprintf("size %d", body))
		if got, err := c.receive(); err != nil || len(got) != body+frame {
			t.Fatalf("a body of %d bytes comes as %d, %v", body, len(got)-frame, err)
		}
		c.send(`{"id":"1","type":"complete"}`)
	}
	for body := 900; body < 1100; body++ {
		check(body)
	}
	for body := 4000; body < 5200; body++ {
		check(body)
	}
	check(70_000)
	check(2 << 20)
}

// TestInitTimeout has a client that says nothing.
func TestInitTimeout(t *testing.T) {
	t.Parallel()
	r := newRig(t, options{max: 10})
	r.streams.Shorten(50*time.Millisecond, 0, 0, 0, 0)
	r.dial(t, nil).wantClose(4408)
}

// TestTokenEnds has tokens that expire and that are revoked, on both transports.
func TestTokenEnds(t *testing.T) {
	t.Parallel()
	for name, ttl := range map[string]time.Duration{"expired": 2 * time.Second, "revoked": time.Hour} {
		r := newRig(t, options{max: 10})
		r.streams.Shorten(0, 0, 0, 0, 0)
		text := r.issue(viewer.User, ttl)
		c := r.dial(t, nil)
		c.send(`{"type":"connection_init","payload":{"authorization":"Bearer ` + text + `"}}`)
		c.want(`{"type":"connection_ack"}`)
		c.subscribe("1", "feed")
		e := r.post(t, `{"query":"feed"}`, http.Header{"Authorization": {"Bearer " + text}})
		eventually(t, "two operations", func() bool { return r.open() == 2 })
		if name == "revoked" {
			r.revoke()
		}
		if reason := c.wantClose(4403); !strings.Contains(reason, name) {
			t.Errorf("the reason is %q, want %q", reason, name)
		}
		e.wantEnd("")
		eventually(t, "all is closed", func() bool { return r.open() == 0 && r.streams.Slots() == 0 })
	}
}

// TestTokenRevokedBeforeAnswer has a token revoked just before there is something to tell. Its
// viewer may not see that any more, and the streams end without it.
func TestTokenRevokedBeforeAnswer(t *testing.T) {
	t.Parallel()
	r := newRig(t, options{max: 10}) // which looks at tokens each second
	text := r.issue(viewer.User, time.Hour)
	c := r.dial(t, nil)
	c.send(`{"type":"connection_init","payload":{"authorization":"Bearer ` + text + `"}}`)
	c.want(`{"type":"connection_ack"}`)
	c.subscribe("1", "feed")
	e := r.post(t, `{"query":"feed"}`, http.Header{"Authorization": {"Bearer " + text}})
	eventually(t, "two operations", func() bool { return r.open() == 2 })
	r.revoke()
	r.publish(`{"data":"a"}`)
	c.wantClose(4403)
	e.wantEnd("")
}

// TestSlow has clients that do not read. They are closed.
func TestSlow(t *testing.T) {
	t.Parallel()
	r := newRig(t, options{max: 10})
	r.streams.Shorten(0, 0, 0, 0, 300*time.Millisecond)
	slow := r.ready(t)
	r.post(t, `{"query":"feed"}`, nil)
	slow.subscribe("1", "feed")
	eventually(t, "two operations", func() bool { return r.open() == 2 })
	for range manyMegabytes {
		r.publish(megabyte)
	}
	eventually(t, "both are closed", func() bool { return r.open() == 0 && strings.Count(r.log.String(), "msg=stream") == 2 })
	if log := r.log.String(); strings.Count(log, "msg=stream") != strings.Count(log, "closeCode=1013")-strings.Count(log, "msg=websocket") {
		t.Errorf("the log has %s", log)
	}
}

// megabyte is an answer, and manyMegabytes are more than the system's buffers take.
var megabyte = `{"data":"` + strings.Repeat("x", 1<<20) + `"}`

const manyMegabytes = 20

// TestSlowAlone has clients that do not read, and one that goes on meanwhile.
func TestSlowAlone(t *testing.T) {
	t.Parallel()
	r := newRig(t, options{max: 10})
	r.streams.Shorten(0, 0, 0, 0, time.Hour)
	r.post(t, `{"query":"feed"}`, nil)
	slow, fast := r.ready(t), r.ready(t)
	for _, c := range []*client{slow, fast} {
		c.subscribe("1", "feed")
	}
	eventually(t, "three operations", func() bool { return r.open() == 3 })
	for range manyMegabytes {
		r.publish(megabyte)
		if got, err := fast.receive(); err != nil || len(got) < len(megabyte) {
			t.Fatalf("the fast client gets %d bytes, %v", len(got), err)
		}
	}
	fast.send(`{"type":"ping"}`)
	fast.want(`{"type":"pong"}`)
	if n := r.open(); n != 3 {
		t.Errorf("%d operations are open, want 3", n)
	}
}

// TestDead has a client that does not answer pings, because nobody reads.
func TestDead(t *testing.T) {
	t.Parallel()
	r := newRig(t, options{max: 10})
	r.streams.Shorten(0, 20*time.Millisecond, 100*time.Millisecond, 0, 0)
	r.ready(t)
	eventually(t, "the dead one is closed", func() bool { return r.streams.Slots() == 0 })
	if log := r.log.String(); !strings.Contains(log, "does not answer") {
		t.Errorf("the log has %s", log)
	}
}

// TestDrain ends streams over a time, and then the server.
func TestDrain(t *testing.T) {
	t.Parallel()
	r := newRig(t, options{max: 100, delay: 500 * time.Millisecond})
	var all []*client
	for range 20 {
		c := r.ready(t)
		c.subscribe("1", "feed")
		all = append(all, c)
	}
	e := r.post(t, `{"query":"feed"}`, nil)
	eventually(t, "all are open", func() bool { return r.open() == 21 })
	r.stop()
	all[0].wantClose(1012)
	if n := r.open(); n < 5 {
		t.Errorf("%d streams are open after the first was closed", n)
	}
	for _, c := range all[1:] {
		c.wantClose(1012)
	}
	e.wantEnd("")
	select {
	case err := <-r.ended:
		if err != nil {
			t.Error(err)
		}
		r.ended <- nil
	case <-time.After(20 * time.Second):
		t.Fatal("the server does not end")
	}
	if log := r.log.String(); strings.Count(log, "msg=websocket") != 20 || strings.Count(log, "msg=stream") != 21 {
		t.Errorf("the log has %s", log)
	}
}

// TestEarly sends the first message together with the request.
func TestEarly(t *testing.T) {
	t.Parallel()
	r := newRig(t, options{max: 10})
	conn, err := net.Dial("tcp", r.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	padding := strings.Repeat(" ", 700) // more than the buffer for reading
	request := append([]byte(handshake(r.addr)), frame(`{"type":"connection_init"}`)...)
	request = append(request, 0x81, 0x80|126, byte((len(padding)+15)>>8), byte(len(padding)+15), 0, 0, 0, 0)
	request = append(request, `{"type":"ping"}`+padding...)
	if _, err := conn.Write(request); err != nil {
		t.Fatal(err)
	}
	var got []byte
	for !strings.HasSuffix(string(got), "\x81\x0f"+`{"type":"pong"}`) {
		b := make([]byte, 1024)
		_ = conn.SetReadDeadline(time.Now().Add(20 * time.Second))
		n, err := conn.Read(b)
		if got = append(got, b[:n]...); err != nil {
			t.Fatalf("the client gets %q, %v", got, err)
		}
	}
}

// TestShare has a user, and an address of those who have not signed in, take as many places as one
// may. Others still get theirs.
func TestShare(t *testing.T) {
	t.Parallel()
	r := newRig(t, options{max: 10, share: 2})
	user := r.issue(viewer.User, time.Hour)
	init := func(token string) *client {
		c := r.dial(t, nil)
		c.send(`{"type":"connection_init","payload":{"authorization":"Bearer ` + token + `"}}`)
		return c
	}
	first := init(user)
	first.want(`{"type":"connection_ack"}`)
	init(user).want(`{"type":"connection_ack"}`)
	if reason := init(user).wantClose(1013); !strings.Contains(reason, "this client") {
		t.Errorf("a third connection of a user is closed with %q", reason)
	}
	if res := r.post(t, `{"query":"feed"}`, http.Header{"Authorization": {"Bearer " + user}}); res.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("a stream of events of the user has the status %d", res.StatusCode)
	}
	eventually(t, "the refused one is gone", func() bool { return r.streams.Slots() == 2 })
	anonymous := r.ready(t)
	anonymous.subscribe("1", "feed")
	anonymous.subscribe("2", "feed")
	eventually(t, "the second operation has a place", func() bool { return r.streams.Slots() == 4 })
	anonymous.subscribe("3", "feed")
	if text, err := anonymous.receive(); err != nil || !strings.Contains(text, "this client") {
		t.Errorf("a third operation gets %s, %v", text, err)
	}
	if reason := r.dial(t, nil).wantClose(1013); !strings.Contains(reason, "this client") {
		t.Errorf("a connection of the same address is closed with %q", reason)
	}
	anonymous.send(`{"id":"2","type":"complete"}`)
	eventually(t, "the operation has ended", func() bool { return r.streams.Slots() == 3 })
	init(r.issue(viewer.User, time.Hour)).want(`{"type":"connection_ack"}`)
	_ = first.CloseNow()
	eventually(t, "the user has a place again", func() bool { return r.streams.Slots() == 3 })
	init(user).want(`{"type":"connection_ack"}`)
}
