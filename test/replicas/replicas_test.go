// Package replicas tests reads on standbys of PostgreSQL, with servers of this process on clusters
// that the tests direct.
package replicas

import (
	"bufio"
	"context"
	"errors"
	"io"
	"maps"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"forge/graph"
	"forge/internal/cli"
	"forge/internal/pgtemp"
	"forge/internal/replica"
	"forge/test/gqltest"
	"forge/test/process"
)

// cluster starts a primary with standbys. It skips the test if PostgreSQL is not installed.
func cluster(t *testing.T, standbys int) *pgtemp.Replicated {
	t.Helper()
	c, err := pgtemp.StartReplicated(t.Context(), standbys)
	if errors.Is(err, pgtemp.ErrNoPostgres) && os.Getenv("CI") == "" {
		t.Skip(err)
	}
	must(t, err)
	t.Cleanup(func() { must(t, c.Stop()) })
	return c
}

// forge is a running server.
type forge struct {
	*gqltest.Client
	url string
	log *process.Output
}

// serve starts a server on a primary with these replicas, and with further settings. Nobody signs
// in, and keys are the same for all servers.
func serve(t *testing.T, primary string, replicas []*pgtemp.Node, more ...string) *forge {
	t.Helper()
	sdl, err := os.ReadFile("../../schema.graphqls")
	must(t, err)
	var addresses []string
	for _, n := range replicas {
		addresses = append(addresses, n.URL("postgres"))
	}
	environ := append([]string{"DATABASE_URL=" + primary, "DATABASE_REPLICAS=" + strings.Join(addresses, " "), "READS=replica",
		"ADDR=127.0.0.1:0", "MIGRATE=on", "CHANGES_RETENTION=1h"}, more...)
	f := &forge{log: new(process.Output)}
	out, in := io.Pipe()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan int)
	go func() {
		ended <- cli.Run(ctx, graph.Application(string(sdl), "test"), []string{"forge", "serve"}, environ, in, f.log)
		in.Close()
	}()
	t.Cleanup(func() {
		cancel()
		<-ended
	})
	url := ""
	for lines := bufio.NewScanner(out); url == "" && lines.Scan(); {
		if words := strings.Fields(lines.Text()); len(words) == 2 && words[0] == "API" {
			url = strings.TrimSuffix(words[1], "/graphql")
		}
	}
	go func() { _, _ = io.Copy(io.Discard, out) }()
	if url == "" {
		t.Fatalf("Forge did not start: %s", f.log)
	}
	f.Client, f.url = gqltest.New(t, url), url
	return f
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// logged returns when the log has a line with these texts.
func (f *forge) logged(t *testing.T, texts ...string) {
	t.Helper()
	gqltest.Eventually(t, "the log has a line with "+strings.Join(texts, " and "), func() error {
		for line := range strings.Lines(f.log.String()) {
			if !slices.ContainsFunc(texts, func(text string) bool { return !strings.Contains(line, text) }) {
				return nil
			}
		}
		return errors.New(f.log.String())
	})
}

var readsLine = regexp.MustCompile(`(?m)^forge_host_reads_total\{host="(.*)"\} (\d+)$`)

// reads returns how many queries each host has answered.
func (f *forge) reads() map[string]int {
	counts := map[string]int{}
	for _, found := range readsLine.FindAllStringSubmatch(f.Get("/metrics").Body, -1) {
		counts[found[1]], _ = strconv.Atoi(found[2])
	}
	return counts
}

// since returns how many queries each host has answered since before, hosts with none left out.
func (f *forge) since(before map[string]int) map[string]int {
	now := f.reads()
	maps.DeleteFunc(now, func(host string, n int) bool { now[host] -= before[host]; return now[host] == 0 })
	return now
}

const (
	createHero = `mutation($n: String!) { createHero(input: {name: $n}) { hero { id version } } }`
	updateHero = `mutation($id: ID!, $age: Int!) { updateHero(id: $id, input: {age: $age}) { hero { version age } } }`
	readHero   = `query($id: ID!) { hero(id: $id) { age } }`
)

// hero creates a hero. It returns the ID, and the position of the answer.
func (f *forge) hero(t *testing.T, name string) (id, at string) {
	t.Helper()
	a := f.Must(createHero, gqltest.Vars{"n": name})
	return a.Text("createHero.hero.id"), position(t, a)
}

// position returns the position of an answer, which stands in two places.
func position(t *testing.T, a gqltest.Answer) string {
	t.Helper()
	at := a.Header.Get(replica.Header)
	if at == "" || at != a.Extensions[replica.Extension] {
		t.Errorf("the position of an answer is %q in its header and %v in its extensions", at, a.Extensions[replica.Extension])
	}
	return at
}

// after returns a client that sends positions.
func (f *forge) after(at ...string) *gqltest.Client {
	return f.With(replica.Header, strings.Join(at, ", "))
}

// host returns where a query was answered: the address of a replica, or "".
func host(a gqltest.Answer) string {
	sql, _ := a.Extensions["sql"].(map[string]any)
	name, _ := sql["replica"].(string)
	return name
}
