package e2e

import (
	"bufio"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"path/filepath"
	"testing"
	"time"

	"forge/internal/pgtemp"
	"forge/test/dbtest"
	"forge/test/gqltest"
	"forge/test/process"
	"forge/test/proxies"
)

// TestOffline has an application that is written as docs/subscriptions.md says keep a copy of all
// heroes. It is offline for a while, 10 minutes with FORGE_SOAK=1. Meanwhile a server behind its
// balancer is killed, and PostgreSQL is restarted; and both once more when it is back. Its copy is
// right again each time.
func TestOffline(t *testing.T) {
	install(t, clients)
	npm(t, clients, nil, "run", "generate:resume")
	cluster, err := pgtemp.Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cluster.Stop(); err != nil {
			t.Error(err)
		}
	})
	url := cluster.URL("postgres") + "&synchronous_commit=on"
	// Changes are made on a server of its own, which lives on.
	w := gqltest.New(t, serve(t, url, "DEMO=on", "MIGRATE=on"))
	env := []string{"AUTH=on", "AUTH_SECRET=" + rand.Text() + rand.Text(), "ACCESS_TOKEN_TTL=3s"}
	addresses := []string{free(t), free(t)}
	servers := []*process.Server{startAt(t, addresses[0], url, env), startAt(t, addresses[1], url, env)}
	front := proxies.HAProxy(t, proxies.Block(t, "../../docs/subscriptions.md", "haproxy"), addresses...)
	app := runCopy(t, front)
	away := 2 * time.Second
	if soak {
		away = 10 * time.Minute
	}
	disturb := func(i int) {
		servers[i].Kill()
		change(w, 10)
		if err := cluster.Halt(); err != nil {
			t.Fatal(err)
		}
		servers[i] = startAgain(t, cluster, addresses[i], url, env)
		change(w, 10)
	}
	app.compare(w)
	change(w, 30)
	app.compare(w)
	app.cut(true)
	for end := time.Now().Add(away); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		change(w, 1)
	}
	disturb(0)
	app.cut(false)
	app.compare(w)
	disturb(1)
	app.compare(w)
}

// startAgain starts PostgreSQL and then a server.
func startAgain(t *testing.T, cluster *pgtemp.Cluster, address, url string, env []string) *process.Server {
	if err := cluster.Resume(); err != nil {
		t.Fatal(err)
	}
	return startAt(t, address, url, env)
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

// change makes, renames and deletes some heroes. Some of the changes may fail.
func change(w *gqltest.Client, n int) {
	for range n {
		name := rand.Text()
		id := w.Do(`mutation($n: String!) { createHero(input: {name: $n}) { hero { id } } }`, gqltest.Vars{"n": name}).Text("createHero.hero.id")
		switch {
		case id == "":
			time.Sleep(100 * time.Millisecond)
		case name[0]%3 == 0:
			w.Do(`mutation($id: ID!, $n: String!) { updateHero(id: $id, input: {name: $n}) { hero { id } } }`, gqltest.Vars{"id": id, "n": "again " + name})
		case name[0]%3 == 1:
			w.Do(`mutation($id: ID!) { deleteHero(id: $id) { deletedId } }`, gqltest.Vars{"id": id})
		}
	}
}

// application is a process that keeps a copy of all heroes.
type application struct {
	wire
	t     *testing.T
	stdin io.Writer
	lines *bufio.Reader
}

// runCopy runs the application. It reaches Forge at an address, by a wire that can be cut.
func runCopy(t *testing.T, address string) *application {
	t.Helper()
	a := &application{t: t}
	t.Cleanup(func() { a.cut(true) })
	stdin, stdout := script(t, filepath.Join("resume", "copy.mjs"), "FORGE_URL=http://"+dbtest.Forward(t, "tcp", address, a.pass))
	a.stdin, a.lines = stdin, bufio.NewReader(stdout)
	return a
}

// copied returns the application's copy: names by IDs.
func (a *application) copied() (heroes map[string]string) {
	if _, err := io.WriteString(a.stdin, "\n"); err != nil {
		a.t.Fatal(err)
	}
	line, err := a.lines.ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, &heroes)
	}
	if err != nil {
		a.t.Fatalf("the application says %q, %v", line, err)
	}
	return heroes
}

// compare waits until the application has the heroes that there are.
func (a *application) compare(w *gqltest.Client) {
	a.t.Helper()
	var there map[string]string
	gqltest.Eventually(a.t, "the heroes are read", func() (err error) { there, err = heroesOf(w); return err })
	gqltest.Eventually(a.t, "the copy is right", func() error {
		if has := a.copied(); !maps.Equal(has, there) {
			return fmt.Errorf("it has %d heroes, of %d", len(has), len(there))
		}
		return nil
	})
}

// heroesOf returns the names of all heroes, by their IDs.
func heroesOf(w *gqltest.Client) (map[string]string, error) {
	heroes, after := map[string]string{}, any(nil)
	for {
		var page struct {
			Heroes struct {
				Nodes    []struct{ ID, Name string }
				PageInfo struct {
					HasNextPage bool
					EndCursor   string
				}
			}
		}
		got := w.Do(`query($after: Cursor) { heroes(first: 100, after: $after) { nodes { id name } pageInfo { hasNextPage endCursor } } }`, gqltest.Vars{"after": after})
		if !got.OK() {
			return nil, fmt.Errorf("got %s", got)
		}
		if err := got.Decode(&page); err != nil {
			return nil, err
		}
		for _, hero := range page.Heroes.Nodes {
			heroes[hero.ID] = hero.Name
		}
		if after = page.Heroes.PageInfo.EndCursor; !page.Heroes.PageInfo.HasNextPage {
			return heroes, nil
		}
	}
}
