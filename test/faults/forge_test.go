package faults

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// forge is a running Forge, a process of its own.
type forge struct {
	t     *testing.T
	url   string // of the server: http://127.0.0.1:PORT
	cmd   *exec.Cmd
	log   *output
	ended chan struct{}
}

// output collects what a process writes.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

// command returns Forge as a program to run on a database, with settings such as "POOL_SIZE=3" and nothing from the environment of the
// tests, which may be meant for others.
func command(t *testing.T, database string, settings []string, args ...string) *exec.Cmd {
	t.Helper()
	path, err := program()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, args...)
	cmd.Dir = t.TempDir()
	cmd.Env = append([]string{"ADDR=127.0.0.1:0", "DATABASE_URL=" + database, "DEMO=off", "LOG_LEVEL=warn", "TMPDIR=" + os.TempDir()}, settings...)
	cmd.SysProcAttr = tied()
	return cmd
}

// start runs Forge on a database until the test ends.
func start(t *testing.T, database string, settings ...string) *forge {
	t.Helper()
	return run(t, command(t, database, settings))
}

// run starts a command that becomes Forge.
func run(t *testing.T, cmd *exec.Cmd) *forge {
	t.Helper()
	f := &forge{t: t, cmd: cmd, log: new(output), ended: make(chan struct{})}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = f.log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.kill)
	lines := bufio.NewScanner(stdout)
	for f.url == "" && lines.Scan() {
		if fields := strings.Fields(lines.Text()); len(fields) == 2 && fields[0] == "API" {
			f.url = strings.TrimSuffix(fields[1], "/graphql")
		}
	}
	go func() {
		defer close(f.ended)
		_, _ = io.Copy(io.Discard, stdout)
		_ = cmd.Wait() // a killed process ends with an error
	}()
	if f.url == "" {
		<-f.ended
		t.Fatalf("Forge did not start: %s", f.log)
	}
	return f
}

// kill ends the process at once, as kill -9 does.
func (f *forge) kill() {
	_ = f.cmd.Process.Kill() // it may have ended already
	<-f.ended
	if strings.Contains(f.log.String(), "DATA RACE") {
		f.t.Errorf("the race detector found something:\n%s", f.log)
	}
}

// stop ends the process in an orderly way.
func (f *forge) stop() {
	f.t.Helper()
	if err := f.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		f.t.Error(err)
	}
	<-f.ended
	if code := f.cmd.ProcessState.ExitCode(); code != 0 {
		f.t.Errorf("Forge ended with status %d: %s", code, f.log)
	}
}

// alive reports an error if the process has ended.
func (f *forge) alive() {
	f.t.Helper()
	select {
	case <-f.ended:
		f.t.Fatalf("Forge has ended: %s", f.log)
	default:
	}
}

var background = context.Background()
