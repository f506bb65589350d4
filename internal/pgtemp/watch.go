package pgtemp

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
)

// A watcher is a shell script that runs servers in one temporary directory, and carries out orders.
// It ends when the process that started it ends.
type watcher struct {
	dir string
	// lifeline takes orders for the script. When it is closed, the script stops its servers.
	lifeline io.WriteCloser
	replies  chan string   // the script's answers to the orders
	ended    chan struct{} // closed when the script has ended
	ordering sync.Mutex    // held while an order is carried out
}

// Stop ends the servers and their connections, and returns when the directory has been removed. It
// may be called more than once.
func (w *watcher) Stop() error {
	w.lifeline.Close() // it may be closed already
	<-w.ended
	if _, err := os.Stat(w.dir); !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("temporary PostgreSQL: %s was not removed", w.dir)
	}
	return nil
}

// order sends an order to the script, and waits until it has been carried out.
func (w *watcher) order(what string) error {
	w.ordering.Lock()
	defer w.ordering.Unlock()
	if _, err := fmt.Fprintln(w.lifeline, what); err != nil {
		return fmt.Errorf("temporary PostgreSQL: %s: %w", what, err)
	}
	select {
	case reply := <-w.replies:
		if reply != what+" 0\n" {
			return fmt.Errorf("temporary PostgreSQL: %s: %s", what, strings.TrimSpace(reply))
		}
		return nil
	case <-w.ended:
		return fmt.Errorf("temporary PostgreSQL: %s: it has been stopped", what)
	}
}

// watch starts a script in a new directory. The script's arguments are bin, the directory of
// PostgreSQL's programs, its own directory, and args. watch returns when the script reports that
// its servers accept connections.
func watch(ctx context.Context, bin, script string, args ...string) (*watcher, error) {
	owner, err := serverOwner()
	if err != nil {
		return nil, err
	}
	dir, err := owner.tempDir()
	if err != nil {
		return nil, fmt.Errorf("directory for a temporary PostgreSQL: %w", err)
	}
	w, err := run(ctx, owner, dir, append([]string{"-c", script, "pgtemp", bin, dir}, args...))
	if err != nil {
		return nil, fmt.Errorf("start a temporary PostgreSQL with the binaries in %s: %w", bin, err)
	}
	return w, nil
}

// run runs the shell with args.
func run(ctx context.Context, owner owner, dir string, args []string) (*watcher, error) {
	cmd := exec.Command("/bin/sh", args...)
	cmd.Dir = dir
	owner.detach(cmd)

	lifeline, err := cmd.StdinPipe()
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	output, err := cmd.StdoutPipe()
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	if err := cmd.Start(); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	w := &watcher{dir: dir, lifeline: lifeline, replies: make(chan string, 1), ended: make(chan struct{})}

	said := make(chan string, 2) // room for both lines, so that sending never waits
	go func() {
		defer close(w.ended)
		out := bufio.NewReader(output)
		first, _ := out.ReadString('\n')
		if first == "ready\n" {
			said <- first
			for reply, err := out.ReadString('\n'); err == nil; reply, err = out.ReadString('\n') {
				w.replies <- reply
			}
		}
		rest, _ := io.ReadAll(out)
		cmd.Wait() // the exit status adds nothing to what the watcher printed
		said <- first + string(rest)
	}()

	select {
	case line := <-said:
		if line != "ready\n" {
			return nil, errors.New(strings.TrimSpace(line))
		}
		return w, nil
	case <-ctx.Done():
		lifeline.Close() // the watcher cleans up as soon as initdb has ended
		return nil, ctx.Err()
	}
}

// socketPathLimit is the longest path of a unix socket on all systems that PostgreSQL supports.
const socketPathLimit = 103

func socketFits(dir string) bool {
	return len(filepath.Join(dir, ".s.PGSQL."+port)) <= socketPathLimit
}
