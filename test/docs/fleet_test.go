package docs

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// A server is a process that answers requests.
type server struct {
	url      string // of the process: http://127.0.0.1:PORT
	cmd      *exec.Cmd
	log      bytes.Buffer   // to be read when the process has ended
	busy     sync.WaitGroup // requests that are on their way
	answered atomic.Int64
}

var apiLine = regexp.MustCompile(`(http://\S+)/graphql`)

// startServer runs a program of the tree until the test ends.
func (tr *tree) startServer(t *testing.T, program string) *server {
	s := &server{cmd: exec.Command(filepath.Join(tr.dir, program))}
	s.cmd.Dir, s.cmd.Env, s.cmd.Stderr = tr.dir, tr.env, &s.log
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.cmd.Process.Kill() }) // it has ended if all went well
	lines := bufio.NewScanner(out)
	for s.url == "" && lines.Scan() {
		if found := apiLine.FindStringSubmatch(lines.Text()); found != nil {
			s.url = found[1]
		}
	}
	if s.url == "" {
		_ = s.cmd.Wait()
		t.Fatalf("%s did not start: %s", program, &s.log)
	}
	go func() { _, _ = io.Copy(io.Discard, out) }()
	return s
}

func (s *server) ready(t *testing.T) bool {
	response, err := http.Get(s.url + "/readyz")
	if err != nil {
		_ = s.cmd.Process.Kill() // if it lives
		t.Fatalf("%s: %v, %v: %s", s.cmd.Path, err, s.cmd.Wait(), &s.log)
	}
	defer response.Body.Close()
	return response.StatusCode == http.StatusOK
}

// end lets what is on its way be answered, and stops the process.
func (s *server) end(t *testing.T) {
	s.busy.Wait()
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Error(err)
	}
	if err := s.cmd.Wait(); err != nil {
		t.Errorf("a server ended with %v: %s", err, &s.log)
	}
}

// A fleet is what a balancer sends requests to, by turns.
type fleet struct {
	mu      sync.Mutex
	servers []*server
	turn    int
}

// take returns the server for a request; its busy is done when there is an answer.
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

// waitForAnswers returns when every server has answered some more requests.
func (f *fleet) waitForAnswers(t *testing.T) {
	const more = 10
	deadline := time.Now().Add(time.Minute)
	for _, s := range f.all() {
		for from := s.answered.Load(); s.answered.Load() < from+more; time.Sleep(5 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("%s answered %d requests in a minute, want %d", s.url, s.answered.Load()-from, more)
			}
		}
	}
}

// deploy does what a block says, and then has the new servers take the place of the old ones, as the page tells operators.
func (f *fleet) deploy(t *testing.T, tr *tree, b block) {
	old := f.all()
	started := tr.begin(t, b, old)
	f.waitForAnswers(t) // by the old ones, with the new schema
	f.set(slices.Concat(old, started))
	f.waitForAnswers(t) // by both
	f.set(started)
	for _, s := range old {
		s.end(t)
	}
	f.waitForAnswers(t)
}

// begin does what a block says: a line that is nothing but a program starts servers, and others are commands. The servers are not
// ready before the commands are done, and old ones not afterwards.
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
	mustBeReady(t, old, false)
	return started
}

func mustBeReady(t *testing.T, servers []*server, want bool) {
	t.Helper()
	for _, s := range servers {
		// An answer is good for a second, and what it looked at may have changed since.
		for end := time.Now().Add(10 * time.Second); s.ready(t) != want; time.Sleep(100 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("%s: ready is %t, want %t", s.cmd.Path, !want, want)
			}
		}
	}
}
