package streams

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"forge/test/dbtest"
	"forge/test/gqltest"
	"forge/test/process"
	"forge/test/proxies"
)

// resumer is a client that comes back with its last cursor whenever its connection ends.
type resumer struct {
	url string // of the WebSocket

	mu     sync.Mutex
	cursor string
	heard  map[string]int // names of heroes, and how often it was told of each
	closed map[websocket.StatusCode]int
}

func newResumer(server string) *resumer {
	return &resumer{url: strings.Replace(server, "http", "ws", 1) + "/graphql", heard: map[string]int{}, closed: map[websocket.StatusCode]int{}}
}

// run follows the changes of heroes until ctx ends.
func (r *resumer) run(ctx context.Context) {
	for ctx.Err() == nil {
		code := websocket.CloseStatus(r.connect(ctx))
		r.mu.Lock()
		r.closed[code]++
		r.mu.Unlock()
		select {
		case <-ctx.Done():
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// connect follows until the connection ends, and returns why it did.
func (r *resumer) connect(ctx context.Context) error {
	begin, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	c, _, err := websocket.Dial(begin, r.url, &websocket.DialOptions{Subprotocols: []string{"graphql-transport-ws"}})
	if err != nil {
		return err
	}
	defer c.CloseNow()
	c.SetReadLimit(16 << 20)
	r.mu.Lock()
	after, _ := json.Marshal(map[string]string{"after": r.cursor})
	r.mu.Unlock()
	for _, text := range []string{`{"type":"connection_init"}`,
		`{"id":"1","type":"subscribe","payload":{"query":"subscription { heroChanges { changes { hero { name } } } }","extensions":` + string(after) + `}}`} {
		if err := c.Write(begin, websocket.MessageText, []byte(text)); err != nil {
			return err
		}
	}
	for {
		_, text, err := c.Read(ctx)
		if err != nil {
			return err
		}
		if err := r.take(text); err != nil {
			return err
		}
	}
}

// take takes in a message.
func (r *resumer) take(text []byte) error {
	var m struct {
		Type    string
		Payload json.RawMessage
	}
	if err := json.Unmarshal(text, &m); err != nil || m.Type != "next" {
		if m.Type == "error" {
			return fmt.Errorf("refused: %s", text)
		}
		return err
	}
	var payload struct {
		Errors     []any
		Extensions struct{ Cursor string }
		Data       *struct {
			HeroChanges struct {
				Changes []struct{ Hero *struct{ Name string } }
			}
		}
	}
	if err := json.Unmarshal(m.Payload, &payload); err != nil || payload.Data == nil {
		return fmt.Errorf("told %s, %w", text, err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, change := range payload.Data.HeroChanges.Changes {
		if change.Hero != nil {
			r.heard[change.Hero.Name]++
		}
	}
	r.cursor = payload.Extensions.Cursor
	return nil
}

// begun reports whether the client has a cursor.
func (r *resumer) begun() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.cursor != ""
}

// missing returns one of the names that the client was not told of, or "".
func (r *resumer) missing(names []string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, name := range names {
		if r.heard[name] == 0 {
			return name
		}
	}
	return ""
}

// creator creates heroes, one after the other, until ctx ends. It returns the names of those whose
// creation was acknowledged. A connection to a server that ends may be lost before the answer.
func creator(ctx context.Context, t *testing.T, server string) (names func() []string) {
	var mu sync.Mutex
	var made []string
	var all sync.WaitGroup
	api := gqltest.New(t, server)
	all.Go(func() {
		for i := 0; ctx.Err() == nil; i++ {
			name := "hero " + strconv.Itoa(i)
			if api.Send(ctx, `mutation($n: String!) { createHero(input: {name: $n}) { hero { id } } }`, gqltest.Vars{"n": name}).OK() {
				mu.Lock()
				made = append(made, name)
				mu.Unlock()
			}
			time.Sleep(10 * time.Millisecond)
		}
	})
	t.Cleanup(all.Wait)
	return func() []string {
		mu.Lock()
		defer mu.Unlock()
		return made
	}
}

// at starts a server at an address.
func at(t *testing.T, url, address string) *process.Server {
	cmd := exec.CommandContext(t.Context(), process.Build(t), "serve")
	cmd.Env = append(os.Environ(), "DATABASE_URL="+url, "ADDR="+address, "AUTH=off", "DEMO=off", "MIGRATE=on", "LOG_LEVEL=error", "SHUTDOWN_DELAY=3s",
		"CURSOR_SECRET=a secret that all servers have, of 32 bytes")
	cmd.Dir = t.TempDir()
	return process.Start(t, cmd)
}

// free returns an address that nobody listens on at the moment.
func free(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// TestRollingDeploy replaces two servers behind HAProxy, one after the other, while heroes are
// created. Each server closes its streams with 1012 before it ends. Clients come back through the
// proxy, and are told of every hero whose creation was acknowledged.
func TestRollingDeploy(t *testing.T) {
	t.Parallel()
	url, addresses := dbtest.EmptyPostgres(t), []string{free(t), free(t)}
	servers := []*process.Server{at(t, url, addresses[0]), at(t, url, addresses[1])}
	front := "http://" + proxies.HAProxy(t, proxies.Block(t, "../../docs/subscriptions.md", "haproxy"), addresses...)
	ctx, cancel := context.WithCancel(t.Context())
	var following sync.WaitGroup
	clients := make([]*resumer, 10)
	for i := range clients {
		clients[i] = newResumer(front)
		following.Go(func() { clients[i].run(ctx) })
	}
	t.Cleanup(following.Wait)
	t.Cleanup(cancel)
	for _, c := range clients {
		gqltest.Eventually(t, "the client has begun", func() error { return unless(c.begun(), "no cursor") })
	}
	names := creator(ctx, t, front)
	for i := range servers {
		before := len(names())
		gqltest.Eventually(t, "heroes are created", func() error { return unless(len(names()) > before+20, "too few") })
		servers[i].Stop()
		servers[i] = at(t, url, addresses[i])
	}
	before := len(names())
	gqltest.Eventually(t, "heroes are created", func() error { return unless(len(names()) > before+20, "too few") })
	made := names()
	cuts := map[websocket.StatusCode]int{}
	for i, c := range clients {
		gqltest.Eventually(t, "all are told", func() error {
			name := c.missing(made)
			return unless(name == "", fmt.Sprintf("client %d was not told of %s", i, name))
		})
		c.mu.Lock()
		for code, n := range c.closed {
			cuts[code] += n
		}
		c.mu.Unlock()
	}
	if cuts[websocket.StatusServiceRestart] < len(clients) {
		t.Errorf("streams ended so: %v, want each client to be told once at least that a server ends", cuts)
	}
	if cuts[websocket.StatusCode(-1)] > 0 {
		t.Errorf("streams ended so: %v, want none that was cut or refused", cuts)
	}
}

func unless(holds bool, what string) error {
	if holds {
		return nil
	}
	return fmt.Errorf("%s", what)
}
