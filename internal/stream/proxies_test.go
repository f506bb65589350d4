package stream_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"forge/test/proxies"
)

const page = "../../docs/subscriptions.md"

// throughProxies calls test with the address of each proxy in front of a rig. The proxies have the
// settings of the documentation, but that a second is the longest time that they wait for bytes.
func throughProxies(t *testing.T, keepAlive time.Duration, test func(t *testing.T, r *rig)) {
	for name, start := range map[string]func(t testing.TB, config string, addresses ...string) string{"nginx": proxies.Nginx, "haproxy": proxies.HAProxy} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, options{max: 10})
			r.streams.Shorten(0, keepAlive, 0, 0, 0)
			config := strings.ReplaceAll(proxies.Block(t, page, name), " 60s", " 1s")
			r.addr = start(t, config, r.addr)
			test(t, r)
		})
	}
}

// TestProxiesKeepAlive has streams be idle for longer than a proxy waits. Keep-alives hold them
// open.
func TestProxiesKeepAlive(t *testing.T) {
	t.Parallel()
	throughProxies(t, 200*time.Millisecond, func(t *testing.T, r *rig) {
		c := r.ready(t)
		c.subscribe("1", "feed")
		events := r.post(t, `{"query":"feed"}`, nil)
		// A client answers pings while it reads.
		answers := make(chan string, 1)
		go func() {
			text, err := c.receive()
			if err != nil {
				text = err.Error()
			}
			answers <- text
		}()
		time.Sleep(3 * time.Second)
		r.publish(`{"data":"a"}`)
		if got := <-answers; got != `{"id":"1","type":"next","payload":{"data":"a"}}` {
			t.Errorf("the WebSocket gets %s", got)
		}
		for {
			line, err := events.lines.ReadString('\n')
			if err != nil {
				t.Fatalf("the stream of events ends with %v", err)
			}
			if strings.HasPrefix(line, "data:") {
				if line != "data: {\"data\":\"a\"}\n" {
					t.Errorf("the stream of events has %q", line)
				}
				return
			}
		}
	})
}

// TestProxiesCut has streams be silent until a proxy cuts them. Clients notice, come back with
// their cursors, and have missed nothing.
func TestProxiesCut(t *testing.T) {
	t.Parallel()
	throughProxies(t, time.Hour, func(t *testing.T, r *rig) {
		c := r.ready(t)
		c.subscribe("1", "feed")
		events := r.post(t, `{"query":"feed"}`, nil)
		r.publish(`{"data":"a"}`)
		c.want(`{"id":"1","type":"next","payload":{"data":"a"}}`)
		events.want("event: next\nid: 1\ndata: {\"data\":\"a\"}\n\n")
		if text, err := c.receive(); err == nil {
			t.Errorf("a WebSocket that is cut gets %s", text)
		}
		if rest, err := io.ReadAll(events.lines); strings.Contains(string(rest), "complete") {
			t.Errorf("a stream of events that is cut ends with %q, %v", rest, err)
		}
		eventually(t, "the server has noticed", func() bool { return r.open() == 0 })
		r.publish(`{"data":"b"}`)
		again := r.ready(t)
		again.send(`{"id":"1","type":"subscribe","payload":{"query":"feed","extensions":{"after":"1"}}}`)
		again.want(`{"id":"1","type":"next","payload":{"data":"b"}}`)
		r.post(t, `{"query":"feed"}`, http.Header{"Last-Event-Id": {"1"}}).want("event: next\nid: 2\ndata: {\"data\":\"b\"}\n\n")
	})
}

// TestProxiesLong sends answers of many sizes through proxies: also such as fill their buffers.
func TestProxiesLong(t *testing.T) {
	t.Parallel()
	throughProxies(t, 0, func(t *testing.T, r *rig) {
		for _, size := range []string{"4096", "16384", "1000000"} {
			c := r.ready(t)
			c.subscribe("1", "size "+size)
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			_, text, err := c.Read(ctx)
			cancel()
			if err != nil || !strings.HasPrefix(string(text), `{"id":"1","type":"next","payload":{"data":"x`) || !strings.HasSuffix(string(text), `x"}}`) {
				t.Errorf("size %s: the WebSocket gets %d bytes, %v", size, len(text), err)
			}
			events := r.post(t, `{"query":"size `+size+`"}`, nil)
			events.want("event: next\ndata: {\"data\":\"xxx")
			if line, err := events.lines.ReadString('\n'); err != nil || !strings.HasSuffix(line, "x\"}\n") {
				t.Errorf("size %s: the stream of events has %d bytes, %v", size, len(line), err)
			}
		}
	})
}
