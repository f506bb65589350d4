// Package cluster breaks a primary with two standbys in the ways that machines and networks do,
// under three servers of Forge, and checks what clients were told against what is stored. The tests
// run the real program. They have a short form, and a long form with FORGE_SOAK=1.
package cluster

import (
	"context"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"

	"forge/internal/pgtemp"
	"forge/test/dbtest"
	"forge/test/gqltest"
	"forge/test/process"
)

type vars = gqltest.Vars

func TestMain(m *testing.M) { os.Exit(process.Main(m)) }

// sized returns how much a test does, in its short form or in its long form.
func sized(short, full int) int {
	if os.Getenv("FORGE_SOAK") != "" {
		return full
	}
	return short
}

// system is a primary with two standbys, and three servers of Forge on them behind a balancer.
type system struct {
	t *testing.T
	*pgtemp.Replicated
	servers []*process.Server
	*gqltest.Client
}

// serve starts a system with further settings for Forge. Commits wait for one standby.
func serve(t *testing.T, settings ...string) *system {
	t.Helper()
	if testing.Short() {
		t.Skip("-short: SQLite only")
	}
	r, err := pgtemp.StartReplicated(t.Context(), 2)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Stop(); err != nil {
			t.Error(err)
		}
	})
	s := &system{t: t, Replicated: r}
	s.must(r.SetSynchronous(t.Context(), "ANY 1 (node1, node2, node3)"))
	settings = append([]string{"DURABILITY=synced", "POOL_SIZE=8", "MIGRATE=on"}, settings...)
	b := new(balancer)
	for range 3 {
		server := s.start(settings...)
		s.servers = append(s.servers, server)
		b.hosts = append(b.hosts, strings.TrimPrefix(server.URL, "http://"))
	}
	s.Client = gqltest.New(t, s.servers[0].URL).Through(&http.Client{Transport: b})
	t.Cleanup(func() {
		if t.Failed() {
			for i, server := range s.servers {
				t.Logf("server %d:\n%s", i, server.Log)
			}
		}
	})
	return s
}

// start starts a server of Forge.
func (s *system) start(settings ...string) *process.Server {
	s.t.Helper()
	cmd := exec.Command(process.Build(s.t))
	cmd.Dir = s.t.TempDir()
	cmd.Env = append([]string{"ADDR=127.0.0.1:0", "DATABASE_URL=" + dbtest.Away(s.t, s.URL("postgres")), "DEMO=off", "LOG_LEVEL=warn", "TMPDIR=" + os.TempDir()}, settings...)
	return process.Start(s.t, cmd)
}

func (s *system) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// others returns the nodes but one.
func (s *system) others(but *pgtemp.Node) (nodes []*pgtemp.Node) {
	for _, n := range s.Nodes {
		if n != but {
			nodes = append(nodes, n)
		}
	}
	return nodes
}

// balancer sends requests to servers in turn.
type balancer struct {
	hosts []string
	turn  atomic.Int64
}

// RoundTrip sends a request to the next server.
func (b *balancer) RoundTrip(r *http.Request) (*http.Response, error) {
	sent := r.Clone(r.Context())
	sent.URL.Host = b.hosts[int(b.turn.Add(1))%len(b.hosts)]
	return http.DefaultTransport.RoundTrip(sent)
}

// wantUnavailable checks that an answer is JSON that says when to come back, or that the outcome is
// unknown.
func wantUnavailable(t *testing.T, got gqltest.Answer) {
	t.Helper()
	if got.Code() != "UNAVAILABLE" || got.Status != http.StatusServiceUnavailable ||
		got.Header.Get("Retry-After") == "" && got.Extension("outcome") != "unknown" {
		t.Errorf("%s, Retry-After %q; want UNAVAILABLE, with Retry-After unless the outcome is unknown", got, got.Header.Get("Retry-After"))
	}
}

// background is for what goes on while the test ends.
var background = context.Background()
