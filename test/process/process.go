// Package process builds Forge and runs it as users do: as a separate process, with settings in its
// environment. It imports no other package of Forge.
package process

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// raceVariable is the variable that makes Build use the race detector. Tests that only use the
// program need not have the race detector themselves: Server.Kill reports the races that the
// program finds.
const raceVariable = "FORGE_RACE"

// programVariable is the variable with the path of a program that was built of this tree, for the
// tests of all packages. make test sets it, because to link a program takes seconds.
const programVariable = "TEST_FORGE_PROGRAM"

// program is the state that Main and Build share.
var program struct {
	dir  string
	path string
	once sync.Once
	err  error
}

// Main runs the tests of a package, and removes the program afterwards. TestMain calls it, and
// exits with the status that it returns.
func Main(m *testing.M) int {
	var err error
	if program.dir, err = os.MkdirTemp("", "forge-test-"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(program.dir)
	return m.Run()
}

// Build builds Forge once for all tests of a package, with the commands for source trees. It
// returns the path of the program.
func Build(t testing.TB) string {
	t.Helper()
	path := filepath.Join(program.dir, "forge")
	program.once.Do(func() {
		program.path = path
		root, err := top()
		if err != nil {
			program.err = err
			return
		}
		if given := os.Getenv(programVariable); os.Getenv(raceVariable) == "" && strings.HasPrefix(given, root+string(filepath.Separator)) {
			// A copy of the tree does not take the program of the tree that it was made of.
			program.path, program.err = given, readSources(root)
			return
		}
		cmd := exec.Command("go", "build", "-C", root, "-tags=source", "-ldflags=-w", "-o", path, ".")
		if os.Getenv(raceVariable) != "" {
			cmd = exec.Command("go", "build", "-C", root, "-tags=source", "-ldflags=-w", "-race", "-o", path, ".")
			cmd.Env = append(os.Environ(), "CGO_ENABLED=1") // the race detector needs it
		}
		if output, err := cmd.CombinedOutput(); err != nil {
			program.err = fmt.Errorf("build Forge: %w\n%s", err, output)
			return
		}
		program.err = readSources(root)
	})
	if program.err != nil {
		t.Fatal(program.err)
	}
	return program.path
}

// BuildWith builds another Forge, in whose source tree there are further files: their texts by
// their paths in the tree. It returns the path of the program.
func BuildWith(t testing.TB, files map[string]string) string {
	t.Helper()
	root, err := top()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	replace := map[string]string{}
	for path, text := range files {
		replace[filepath.Join(root, path)] = filepath.Join(dir, filepath.Base(path))
		if err := os.WriteFile(filepath.Join(dir, filepath.Base(path)), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	overlay, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "overlay.json"), overlay, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("go", "build", "-C", root, "-tags=source", "-ldflags=-w", "-overlay", filepath.Join(dir, "overlay.json"), "-o", filepath.Join(dir, "forge"), ".")
	if output, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build Forge: %v\n%s", err, output)
	}
	return filepath.Join(dir, "forge")
}

// top returns the top of the source tree.
func top() (string, error) {
	mod, err := exec.Command("go", "env", "GOMOD").Output()
	if err != nil {
		return "", fmt.Errorf("go env GOMOD: %w", err)
	}
	return filepath.Dir(strings.TrimSpace(string(mod))), nil
}

// readSources reads all directories of the module. The go command notices this, so it runs the
// tests again if a file has changed, although the tests do not import the changed package.
func readSources(root string) error {
	return filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() && (entry.Name() == ".git" || entry.Name() == "node_modules") {
			return filepath.SkipDir
		}
		return err
	})
}

// Server is a running server.
type Server struct {
	URL string // http://127.0.0.1:PORT
	Log *Output

	t     testing.TB
	cmd   *exec.Cmd
	ended chan struct{}
	err   error // of the process, when it has ended
}

// Start runs a command that becomes a serving Forge. It returns when the server has printed its
// address, and stops the test if the process ends before. The process is killed when the test ends.
// Its log goes to Log, or to what the command has for its standard error.
func Start(t testing.TB, cmd *exec.Cmd) *Server {
	t.Helper()
	s := &Server{t: t, cmd: cmd, Log: new(Output), ended: make(chan struct{})}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if cmd.Stderr == nil {
		cmd.Stderr = s.Log
	}
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = KilledWithParent()
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Kill)
	lines := bufio.NewScanner(stdout)
	for s.URL == "" && lines.Scan() {
		if words := strings.Fields(lines.Text()); len(words) == 2 && words[0] == "API" {
			s.URL = strings.TrimSuffix(words[1], "/graphql")
		}
	}
	go func() {
		defer close(s.ended)
		_, _ = io.Copy(io.Discard, stdout)
		s.err = cmd.Wait()
	}()
	if s.URL == "" {
		<-s.ended
		t.Fatalf("Forge did not start: %s", s.Log)
	}
	return s
}

// Kill ends the process at once, as kill -9 does. It may be called after the process has ended. The
// test fails if the race detector has found something.
func (s *Server) Kill() {
	_ = s.cmd.Process.Kill()
	<-s.ended
	if strings.Contains(s.Log.String(), "DATA RACE") {
		s.t.Errorf("the race detector found something:\n%s", s.Log)
	}
}

// Stop ends the process in an orderly way. The test fails if the exit status is not 0.
func (s *Server) Stop() {
	s.t.Helper()
	if err := s.Signal(syscall.SIGTERM); err != nil {
		s.t.Error(err)
	}
	if err := s.Wait(); err != nil {
		s.t.Errorf("Forge ended with %v: %s", err, s.Log)
	}
}

// Signal sends a signal to the process. The error is os.ErrProcessDone if it has ended.
func (s *Server) Signal(sig os.Signal) error { return s.cmd.Process.Signal(sig) }

// Wait returns when the process has ended, with an error unless its status is 0.
func (s *Server) Wait() error {
	<-s.ended
	return s.err
}

// Pid returns the ID of the process.
func (s *Server) Pid() int { return s.cmd.Process.Pid }

// MustLive stops the test if the process has ended.
func (s *Server) MustLive() {
	s.t.Helper()
	select {
	case <-s.ended:
		s.t.Fatalf("Forge has ended: %s", s.Log)
	default:
	}
}

// Output collects what a process prints. It is safe for concurrent use.
type Output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *Output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

// String returns everything that has been printed so far.
func (o *Output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

// Run runs a command of Forge until it ends, and returns what the command printed. The test stops
// if the command fails.
func Run(t testing.TB, cmd *exec.Cmd) (stdout string) {
	t.Helper()
	out, err := cmd.Output()
	if failed, ok := errors.AsType[*exec.ExitError](err); ok {
		t.Fatalf("%q: %v\n%s", cmd.Args, err, failed.Stderr)
	}
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}
