package e2e

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"forge/test/dbtest"
	"forge/test/gqltest"
	"forge/test/process"
)

// followers are the clients that clients/resume/follow.mjs runs.
var followers = []string{"graphqlWs", "graphqlSse", "apollo", "urql", "relay", "eventSource"}

// TestResume has clients follow changes while their connections are cut, their tokens expire, and
// their server is killed. Another server of the same database makes the changes. None may be missed.
func TestResume(t *testing.T) {
	install(t, clients)
	printSchema(t, filepath.Join(clients, "generated", "schema.graphql"))
	npm(t, clients, nil, "run", "generate:relay")
	npm(t, clients, nil, "run", "generate:resume")

	databaseURL := dbtest.EmptySQLite(t)
	w := &heroWriter{Client: gqltest.New(t, serve(t, databaseURL)), version: map[string]int{}}
	env := []string{"AUTH=on", "AUTH_SECRET=" + rand.Text() + rand.Text(), "ACCESS_TOKEN_TTL=2s"}
	s := startAt(t, "127.0.0.1:0", databaseURL, env)
	address := strings.TrimPrefix(s.URL, "http://")
	f := follow(t, s.URL, address)
	f.until("every client is ready", func(c *follower) bool { return c.ready })

	const changes = 200
	log := s.Log
	for i := range changes {
		w.change(i)
		switch i {
		case changes / 4:
			f.cut(false)
		case changes / 2:
			s.Kill()
			log = startAt(t, address, databaseURL, env).Log
		case changes * 3 / 4:
			f.cut(false)
		}
		time.Sleep(3 * time.Second / changes)
	}
	// The second server has ended a stream of each client because of its token.
	extra := changes
	gqltest.Eventually(t, "the token of each client has expired", func() error {
		w.change(extra)
		extra++
		return expired(log)
	})
	last := w.Must(`mutation { createHero(input: {name: "Last"}) { hero { id } } }`, nil).Text("createHero.hero.id")
	f.until("every client has the last change", func(c *follower) bool { return c.seen[last] != nil })
	for name, c := range f.clients {
		c.check(t, name, w.version)
	}
}

// startAt starts a server at an address.
func startAt(t *testing.T, address, databaseURL string, env []string) *process.Server {
	t.Helper()
	cmd := exec.Command(process.Build(t))
	cmd.Env = append(append(os.Environ(), "ADDR="+address, "DATABASE_URL="+databaseURL), env...)
	return process.Start(t, cmd)
}

// endedByToken finds the lines of the log about streams that ended because of their token.
var endedByToken = regexp.MustCompile(`msg=stream .*operation=(\S+) .*closeCode=4403`)

// expired returns an error unless a stream of each client has ended with the code for an expired
// token.
func expired(log *process.Output) error {
	ended := map[string]bool{}
	for _, found := range endedByToken.FindAllStringSubmatch(log.String(), -1) {
		ended[found[1]] = true
	}
	if len(ended) < len(followers) {
		return fmt.Errorf("only for %v", ended)
	}
	return nil
}

// heroWriter creates, updates and deletes heroes.
type heroWriter struct {
	*gqltest.Client
	ids     []string
	version map[string]int // the newest one of each hero; 0 if the hero is deleted
}

// change makes one change. Each third hero is updated twice, and then deleted.
func (w *heroWriter) change(i int) {
	if step := i % 6; step < 3 {
		id := w.Must(`mutation($n: String!) { createHero(input: {name: $n}) { hero { id } } }`,
			gqltest.Vars{"n": fmt.Sprintf("Hero %d", i)}).Text("createHero.hero.id")
		w.ids, w.version[id] = append(w.ids, id), 1
	} else if id := w.ids[len(w.ids)-1]; step < 5 {
		w.version[id] = w.Must(`mutation($id: ID!, $age: Int!) { updateHero(id: $id, input: {age: $age}) { hero { version } } }`,
			gqltest.Vars{"id": id, "age": i}).Number("updateHero.hero.version")
	} else {
		w.Must(`mutation($id: ID!) { deleteHero(id: $id) { deletedId } }`, gqltest.Vars{"id": id})
		w.version[id] = 0
	}
}

// follower is what a client has been told.
type follower struct {
	ready bool
	seen  map[string][]string // the kinds of changes of each hero, in their order
	last  map[string]int      // the last version of each hero
	wrong []string
}

// check fails the test if the client has missed a change, or heard of them in another order.
func (c *follower) check(t *testing.T, name string, versions map[string]int) {
	t.Helper()
	for _, wrong := range c.wrong {
		t.Errorf("%s: %s", name, wrong)
	}
	for id, version := range versions {
		want := []string{"CREATED"}
		if version != 1 {
			want = append(want, "UPDATED")
		}
		if version == 0 {
			want = append(want, "REMOVED")
		}
		if got := slices.Compact(c.seen[id]); !slices.Equal(got, want) || c.last[id] != version {
			t.Errorf("%s was told of %s: %q and version %d, want %q and version %d", name, id, got, c.last[id], want, version)
		}
	}
}

// following is a process that runs all clients.
type following struct {
	wire
	t       *testing.T
	lines   chan line
	clients map[string]*follower
}

// line is one that the process prints.
type line struct {
	Client, Kind, ID, Ended string
	Ready                   bool
	Version                 int
}

// follow starts the clients. Each reaches the server by a proxy of its own.
func follow(t *testing.T, url, address string) *following {
	t.Helper()
	f := &following{t: t, lines: make(chan line, 1<<16), clients: map[string]*follower{}}
	proxies := map[string]string{}
	for _, name := range followers {
		f.clients[name] = &follower{seen: map[string][]string{}, last: map[string]int{}}
		proxies[name] = "http://" + dbtest.Forward(t, "tcp", address, f.pass)
	}
	addresses, err := json.Marshal(proxies)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.cut(true) })
	_, stdout := script(t, filepath.Join("resume", "follow.mjs"), "FORGE_URL="+url, "PROXIES="+string(addresses))
	go f.read(t.Context(), stdout)
	return f
}

// read passes on the lines of the process.
func (f *following) read(ctx context.Context, stdout io.Reader) {
	defer close(f.lines)
	for lines := bufio.NewScanner(stdout); lines.Scan(); {
		var l line
		if err := json.Unmarshal(lines.Bytes(), &l); err != nil {
			l = line{Client: followers[0], Ended: lines.Text()}
		}
		select {
		case f.lines <- l:
		case <-ctx.Done():
			return
		}
	}
}

// until reads lines until all clients are in a state.
func (f *following) until(what string, state func(*follower) bool) {
	f.t.Helper()
	deadline := time.After(time.Minute)
	for {
		missing := slices.DeleteFunc(slices.Clone(followers), func(name string) bool { return state(f.clients[name]) })
		if len(missing) == 0 {
			return
		}
		select {
		case l, ok := <-f.lines:
			if !ok {
				f.t.Fatalf("the clients have ended before %s: %q", what, missing)
			}
			f.clients[l.Client].hear(l)
		case <-deadline:
			f.t.Fatalf("waited in vain until %s: not %q", what, missing)
		}
	}
}

// hear takes in what a client has been told.
func (c *follower) hear(l line) {
	switch {
	case l.Ended != "":
		c.wrong = append(c.wrong, "it ended: "+l.Ended)
	case l.Ready:
		c.ready = true
	default:
		c.seen[l.ID] = append(c.seen[l.ID], l.Kind)
		if l.Version != 0 && l.Version < c.last[l.ID] {
			c.wrong = append(c.wrong, fmt.Sprintf("version %d of %s came after version %d", l.Version, l.ID, c.last[l.ID]))
		}
		c.last[l.ID] = l.Version
	}
}
