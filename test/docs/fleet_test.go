package docs

import (
	"fmt"
	"forge/test/gqltest"
	"forge/test/process"
	"net/http"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// A server is one process of a fleet.
type server struct {
	*process.Server
	program  string
	api      *gqltest.Client
	busy     sync.WaitGroup // the requests that are in progress
	answered atomic.Int64
}

// startServer runs a program of the tree until the test ends.
func (tr *tree) startServer(t *testing.T, program string) *server {
	cmd := exec.Command(filepath.Join(tr.dir, program))
	cmd.Dir, cmd.Env = tr.dir, tr.env
	s := process.Start(t, cmd)
	return &server{Server: s, program: program, api: gqltest.New(t, s.URL)}
}

// end lets the requests on their way be answered, and stops the process.
func (s *server) end() {
	s.busy.Wait()
	s.Stop()
}

// A fleet is a number of servers that get requests in turn.
type fleet struct {
	mu      sync.Mutex
	servers []*server
	turn    int
}

// take returns the server for the next request. The caller marks busy as done when it has the
// answer.
func (f *fleet) take() *server {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.turn++
	s := f.servers[f.turn%len(f.servers)]
	s.busy.Add(1)
	return s
}

func (f *fleet) all() []*server {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.servers)
}

func (f *fleet) set(servers []*server) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.servers = servers
}

// waitForAnswers returns when every server has answered several more requests.
func (f *fleet) waitForAnswers(t *testing.T) {
	const more = 10
	for _, s := range f.all() {
		from := s.answered.Load()
		gqltest.Eventually(t, s.URL+" answers", func() error {
			if n := s.answered.Load() - from; n < more {
				return fmt.Errorf("it has answered %d requests, want %d", n, more)
			}
			return nil
		})
	}
}

// deploy runs the commands of a block, and then replaces the old servers by new ones, as the page
// says.
func (f *fleet) deploy(t *testing.T, tr *tree, b block) {
	old := f.all()
	started := tr.begin(t, b, old)
	f.waitForAnswers(t) // the old servers, with the new schema
	f.set(slices.Concat(old, started))
	f.waitForAnswers(t) // old and new servers
	f.set(started)
	for _, s := range old {
		s.end()
	}
	f.waitForAnswers(t)
}

// begin runs the commands of a block. A command without arguments is a program, of which it starts
// two servers. They must not be ready before all commands have ended. The old servers must be ready
// all the time.
func (tr *tree) begin(t *testing.T, b block, old []*server) (started []*server) {
	for line := range strings.Lines(b.text) {
		program := strings.TrimPrefix(strings.TrimSpace(line), "$ ")
		if strings.Contains(program, " ") {
			tr.run(t, block{text: line})
			continue
		}
		for range 2 {
			started = append(started, tr.startServer(t, program))
		}
		mustBeReady(t, started, false)
		mustBeReady(t, old, true)
	}
	mustBeReady(t, started, true)
	mustBeReady(t, old, true)
	return started
}

func mustBeReady(t *testing.T, servers []*server, want bool) {
	t.Helper()
	for _, s := range servers {
		// A server uses the result of a check for a second, and the database may have changed since
		// the check.
		gqltest.Eventually(t, s.program, func() error {
			if got := s.api.Get("/readyz"); (got.Status == http.StatusOK) != want {
				return fmt.Errorf("it says %s, want ready %t", got, want)
			}
			return nil
		})
	}
}
