package devloop

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"sync"
	"time"
)

// server is a running program that serves.
type server struct {
	cmd   *exec.Cmd
	alive io.Closer     // its standard input: the server ends when it is closed
	ready chan struct{} // is closed when it serves
	ended chan struct{} // is closed when it has ended
	err   error         // of the process, when it has ended
}

// patience is how long a server may take to start, and to end.
const patience = 15 * time.Second

// start starts a program as the server. build is what the playground tells one build from the next
// by. What the server prints goes to o.Out.
func start(ctx context.Context, program, build string, o Options) *server {
	s := &server{ready: make(chan struct{}), ended: make(chan struct{})}
	s.cmd = exec.CommandContext(context.WithoutCancel(ctx), program, "serve", "--from-disk", "--build="+build)
	s.cmd.Dir, s.cmd.Env, s.cmd.Stderr = o.Root, o.Environ, o.Out
	ownGroup(s.cmd)
	stdin, inErr := s.cmd.StdinPipe()
	stdout, outErr := s.cmd.StdoutPipe()
	err := errors.Join(inErr, outErr)
	if err == nil {
		err = s.cmd.Start()
	}
	if err != nil {
		s.err = err
		close(s.ended)
		return s
	}
	s.alive = stdin
	go func() {
		defer close(s.ended)
		s.copy(o.Out, stdout)
		s.err = s.cmd.Wait()
	}()
	return s
}

// copy copies the lines that the server prints. It serves once it has printed the last of them.
func (s *server) copy(to io.Writer, from io.Reader) {
	once := sync.OnceFunc(func() { close(s.ready) })
	lines := bufio.NewScanner(from)
	for lines.Scan() {
		fmt.Fprintln(to, lines.Text())
		if strings.HasPrefix(lines.Text(), "Ctrl+C") {
			once()
		}
	}
}

// awaitReady returns when the server serves. It returns an error if the server ends before, or
// takes too long.
func (s *server) awaitReady(ctx context.Context) error {
	select {
	case <-s.ready:
		return nil
	case <-s.ended:
		return fmt.Errorf("the server did not start: %w", s.err)
	case <-time.After(patience):
		return errors.New("the server does not start")
	case <-ctx.Done():
		return ctx.Err()
	}
}

// stop ends the server, and returns when it has ended. A server that does not end is killed.
func (s *server) stop() {
	if s.alive == nil {
		return
	}
	_ = endGroup(s.cmd) // it may have ended already
	select {
	case <-s.ended:
	case <-time.After(patience):
		_ = killGroup(s.cmd)
		<-s.ended
	}
	_ = s.alive.Close()
}
